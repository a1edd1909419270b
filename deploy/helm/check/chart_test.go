// Package check renders the Helm chart as helm does and reads the result as Kubernetes does.
package check

import (
	"cmp"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/yaml"
)

const chart = "../savepage"

// least are values without which nothing is rendered.
const least = `
publicURL: https://shots.example.com
database: {url: "postgres://savepage:secret@db:5432/savepage"}
blobs: "s3://pictures/savepage?endpoint=https://s3.internal&region=eu"
`

// most use what can be switched on.
const most = `
publicURL: https://shots.example.com
image: {repository: registry.example.com/savepage, tag: 1.2.3, pullPolicy: Always}
imagePullSecrets: [{name: pull}]
database: {existingSecret: db, key: url}
blobs: s3://pictures/savepage
aws: {existingSecret: bucket}
masterKey: {existingSecret: keys, key: master}
settings: {SAVEPAGE_RETENTION: 24h, SAVEPAGE_MAX_PENDING: 5000}
environment: {OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318"}
serviceAccount: {annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::1:role/savepage"}}
service: {type: LoadBalancer, annotations: {a: b}}
ingress: {enabled: true, className: nginx, host: shots.example.com, tlsSecret: tls, annotations: {c: d}}
metrics: {port: 9100, podMonitor: true}
render:
  settings: {SAVEPAGE_CONCURRENCY: 8}
  seccompProfile: {type: Localhost, localhostProfile: savepage.json}
  autoscaling: {enabled: true, minReplicas: 3, maxReplicas: 30, queue: 10}
  tolerations: [{key: pages, operator: Exists}]
  nodeSelector: {pages: "yes"}
  affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: {topologyKey: zone}}]}}
deliver: {podDisruptionBudget: {enabled: false}}
strategy: Recreate
`

// objects are what a chart renders to, by kind and name.
type objects map[string]runtime.Object

// render renders the chart with values, and reads what comes out as strictly as the API server does with fieldValidation=Strict.
func render(t *testing.T, values string) (objects, error) {
	t.Helper()
	loaded, err := loader.Load(chart)
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]any{}
	if err := yaml.Unmarshal([]byte(values), &given); err != nil {
		t.Fatal(err)
	}
	all, err := chartutil.ToRenderValues(loaded, given, chartutil.ReleaseOptions{Name: "shots", Namespace: "pages", IsInstall: true},
		chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Engine{Strict: true}.Render(loaded, all)
	if err != nil {
		return nil, err
	}
	found := objects{}
	for name, text := range files {
		if strings.HasSuffix(name, ".yaml") {
			found.read(t, name, text)
		}
	}
	return found, nil
}

// read adds the objects of a file.
func (o objects) read(t *testing.T, name, text string) {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		appsv1.AddToScheme, autoscalingv2.AddToScheme, corev1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	for part := range strings.SplitSeq("\n"+text, "\n---") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		var plain unstructured.Unstructured
		if err := yaml.UnmarshalStrict([]byte(part), &plain.Object); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, part)
		}
		key := plain.GetKind() + "/" + plain.GetName()
		if o[key] != nil {
			t.Errorf("%s is there twice", key)
		}
		if plain.GetKind() == "PodMonitor" { // of the Prometheus operator
			o[key] = &plain
			continue
		}
		object, _, err := decoder.Decode([]byte(part), nil, nil)
		if err != nil {
			t.Errorf("%s: %s: %v\n%s", name, key, err, part)
		}
		o[key] = object
	}
}

func of[T runtime.Object](t *testing.T, o objects, key string) T {
	t.Helper()
	object, is := o[key].(T)
	if !is {
		t.Fatalf("there is no %s, but %q", key, slices.Sorted(maps.Keys(o)))
	}
	return object
}

func rendered(t *testing.T, values string) objects {
	t.Helper()
	found, err := render(t, values)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestNodes(t *testing.T) {
	for name, values := range map[string]string{"least": least, "most": most} {
		t.Run(name, func(t *testing.T) {
			found := rendered(t, values)
			for _, kind := range []string{"api", "render", "deliver"} {
				d := of[*appsv1.Deployment](t, found, "Deployment/shots-savepage-"+kind)
				pod := d.Spec.Template
				if !labels.SelectorFromSet(d.Spec.Selector.MatchLabels).Matches(labels.Set(pod.Labels)) {
					t.Errorf("%s does not select its pods", kind)
				}
				container := pod.Spec.Containers[0]
				if got := variable(container, "SAVEPAGE_ROLES"); got != kind {
					t.Errorf("%s has the roles %q", kind, got)
				}
				for path, probe := range map[string]*corev1.Probe{
					"/healthz": container.LivenessProbe, "/readyz": container.ReadinessProbe,
				} {
					if probe == nil || probe.HTTPGet.Path != path || probe.HTTPGet.Port.String() != "http" {
						t.Errorf("%s is probed by %v", kind, probe)
					}
				}
				if safe := pod.Spec.SecurityContext; !*safe.RunAsNonRoot || *container.SecurityContext.AllowPrivilegeEscalation {
					t.Errorf("%s has rights: %v", kind, safe)
				}
				mounted(t, pod.Spec)
			}
			service := of[*corev1.Service](t, found, "Service/shots-savepage")
			api := of[*appsv1.Deployment](t, found, "Deployment/shots-savepage-api").Spec.Template.Labels
			if !labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(api)) {
				t.Error("the service does not lead to the pods of the API")
			}
		})
	}
}

// mounted checks that volumes and mounts belong together.
func mounted(t *testing.T, pod corev1.PodSpec) {
	t.Helper()
	var volumes, mounts []string
	for _, v := range pod.Volumes {
		volumes = append(volumes, v.Name)
	}
	for _, m := range pod.Containers[0].VolumeMounts {
		mounts = append(mounts, m.Name)
	}
	if !slices.Equal(volumes, mounts) {
		t.Errorf("volumes %q, mounts %q", volumes, mounts)
	}
}

// variable is the value of a container's variable, or the secret and key that it comes from.
func variable(c corev1.Container, name string) string {
	for _, one := range c.Env {
		if one.Name == name && one.ValueFrom != nil {
			return one.ValueFrom.SecretKeyRef.Name + "/" + one.ValueFrom.SecretKeyRef.Key
		} else if one.Name == name {
			return one.Value
		}
	}
	return ""
}

func TestLeast(t *testing.T) {
	found := rendered(t, least)
	secret := of[*corev1.Secret](t, found, "Secret/shots-savepage")
	if len(secret.StringData) != 1 || secret.StringData["SAVEPAGE_DATABASE"] != "postgres://savepage:secret@db:5432/savepage" {
		t.Errorf("the secret has %q", secret.StringData)
	}
	render := of[*appsv1.Deployment](t, found, "Deployment/shots-savepage-render")
	if from := render.Spec.Template.Spec.Containers[0].EnvFrom; len(from) != 1 || from[0].SecretRef.Name != secret.Name {
		t.Errorf("its secrets come from %v", from)
	}
	if *render.Spec.Replicas != 2 || render.Spec.Template.Spec.SecurityContext.SeccompProfile.Type != corev1.SeccompProfileTypeUnconfined {
		t.Errorf("rendering: %v", render.Spec)
	}
	budget := of[*policyv1.PodDisruptionBudget](t, found, "PodDisruptionBudget/shots-savepage-render")
	if budget.Spec.MaxUnavailable.IntValue() != 1 || !labels.SelectorFromSet(budget.Spec.Selector.MatchLabels).
		Matches(labels.Set(render.Spec.Template.Labels)) {
		t.Errorf("the budget is %v", budget.Spec)
	}
	for _, kind := range []string{"HorizontalPodAutoscaler/shots-savepage-render", "Ingress/shots-savepage"} {
		if found[kind] != nil {
			t.Errorf("there is %s", kind)
		}
	}
}

func TestMost(t *testing.T) {
	found := rendered(t, most)
	if found["Secret/shots-savepage"] != nil || found["PodDisruptionBudget/shots-savepage-deliver"] != nil {
		t.Errorf("there are %q", slices.Sorted(maps.Keys(found)))
	}
	render := of[*appsv1.Deployment](t, found, "Deployment/shots-savepage-render")
	container := render.Spec.Template.Spec.Containers[0]
	for name, want := range map[string]string{
		"SAVEPAGE_DATABASE": "db/url", "SAVEPAGE_MASTER_KEY": "keys/master", "SAVEPAGE_RETENTION": "24h", "SAVEPAGE_MAX_PENDING": "5000",
		"SAVEPAGE_CONCURRENCY": "8", "SAVEPAGE_METRICS_LISTEN": "0.0.0.0:9100", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
	} {
		if got := variable(container, name); got != want {
			t.Errorf("%s is %q, not %q", name, got, want)
		}
	}
	if container.Image != "registry.example.com/savepage:1.2.3" || render.Spec.Replicas != nil ||
		len(container.EnvFrom) != 1 || container.EnvFrom[0].SecretRef.Name != "bucket" {
		t.Errorf("rendering: %v", render.Spec)
	}
	scaler := of[*autoscalingv2.HorizontalPodAutoscaler](t, found, "HorizontalPodAutoscaler/shots-savepage-render").Spec
	if scaler.ScaleTargetRef.Name != render.Name || *scaler.MinReplicas != 3 || len(scaler.Metrics) != 2 ||
		scaler.Metrics[1].External.Target.AverageValue.String() != "10" {
		t.Errorf("the scaler is %v", scaler)
	}
	way := of[*networkingv1.Ingress](t, found, "Ingress/shots-savepage").Spec
	if way.Rules[0].HTTP.Paths[0].Backend.Service.Name != "shots-savepage" || way.TLS[0].Hosts[0] != "shots.example.com" {
		t.Errorf("the ingress is %v", way)
	}
	of[*unstructured.Unstructured](t, found, "PodMonitor/shots-savepage")
}

// TestRefused says what is wrong with values, by name.
func TestRefused(t *testing.T) {
	for _, one := range []struct{ values, want string }{
		{strings.Replace(least, "publicURL", "# publicURL", 1), "publicURL is missing"},
		{least + `database: {url: ""}`, "database.url or database.existingSecret is missing"},
		{strings.Replace(least, "blobs: ", "imagePullSecrets: [] # ", 1), "blobs is missing"},
		{strings.Replace(least, "s3://pictures/savepage", "/srv/pictures", 1), "blobs"},
		{strings.Replace(least, "postgres://", "mysql://", 1), "database"},
		{least + "aws: {accessKeyID: a}", "aws.secretAccessKey is missing"},
		{least + "renders: {replicas: 3}", "renders"},
		{least + "render: {replicas: many}", "replicas"},
		{least + "settings: {RETENTION: 24h}", "RETENTION"},
		{least + "render: {autoscaling: {enabled: true, cpu: 0, queue: 0}}", "autoscaling"},
	} {
		values := one.values
		if strings.Count(values, "database:") > 1 { // the later one is meant
			values = strings.Replace(values, `database: {url: "postgres://savepage:secret@db:5432/savepage"}`, "", 1)
		}
		if _, err := render(t, values); err == nil || !strings.Contains(err.Error(), one.want) {
			t.Errorf("%s: %v, not %q", values, err, one.want)
		}
	}
}

// TestSettingsAreKnown finds a setting in the chart that the program does not have.
func TestSettingsAreKnown(t *testing.T) {
	docs, err := os.ReadFile("../../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, object := range rendered(t, most) {
		if d, is := object.(*appsv1.Deployment); is {
			for _, one := range d.Spec.Template.Spec.Containers[0].Env {
				used[one.Name] = true
			}
		}
	}
	text, err := os.ReadFile(chart + "/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`SAVEPAGE_[A-Z_]+[A-Z]`).FindAllString(string(text), -1) {
		used[name] = true
	}
	if len(used) < 9 {
		t.Errorf("only %d settings were found", len(used))
	}
	for name := range used {
		if cmp.Or(strings.HasPrefix(name, "OTEL_"), strings.HasPrefix(name, "AWS_")) {
			continue
		}
		if !strings.Contains(string(docs), "| `"+name+"` |") {
			t.Errorf("%s is no setting of the program", name)
		}
	}
}

{{- define "savepage.name" -}}
{{- if contains "savepage" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-savepage" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "savepage.selector" -}}
app.kubernetes.io/name: savepage
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "savepage.labels" -}}
{{ include "savepage.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "savepage.account" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "savepage.name" .) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{- /* What is secret and not in a Secret of the user's own. */ -}}
{{- define "savepage.secrets" -}}
{{- if not .Values.database.existingSecret }}
SAVEPAGE_DATABASE: {{ required "database.url or database.existingSecret is missing: want postgres://user:password@host:5432/database" .Values.database.url | quote }}
{{- end }}
{{- with .Values.masterKey.value }}
SAVEPAGE_MASTER_KEY: {{ . | quote }}
{{- end }}
{{- if .Values.aws.accessKeyID }}
AWS_ACCESS_KEY_ID: {{ .Values.aws.accessKeyID | quote }}
AWS_SECRET_ACCESS_KEY: {{ required "aws.secretAccessKey is missing: aws.accessKeyID needs it" .Values.aws.secretAccessKey | quote }}
{{- end }}
{{- end }}

{{- /* The environment of a kind of node. The dictionary has root, roles and node. */ -}}
{{- define "savepage.environment" -}}
{{- $root := .root }}
- {name: SAVEPAGE_LISTEN, value: "0.0.0.0:8080"}
- {name: SAVEPAGE_METRICS_LISTEN, value: "0.0.0.0:{{ $root.Values.metrics.port }}"}
- {name: SAVEPAGE_DATA, value: /data}
- {name: SAVEPAGE_ROLES, value: {{ .roles }}}
- {name: SAVEPAGE_BLOBS, value: {{ required "blobs is missing: want s3://bucket/prefix?endpoint=https://host&region=name" $root.Values.blobs | quote }}}
- {name: SAVEPAGE_PUBLIC_URL, value: {{ required "publicURL is missing: want the URL that clients call, such as https://shots.example.com" $root.Values.publicURL | quote }}}
{{- with $root.Values.database.existingSecret }}
- name: SAVEPAGE_DATABASE
  valueFrom: {secretKeyRef: {name: {{ . }}, key: {{ $root.Values.database.key }}}}
{{- end }}
{{- with $root.Values.masterKey.existingSecret }}
- name: SAVEPAGE_MASTER_KEY
  valueFrom: {secretKeyRef: {name: {{ . }}, key: {{ $root.Values.masterKey.key }}}}
{{- end }}
{{- range $name, $value := merge (deepCopy .node.settings) $root.Values.settings $root.Values.environment }}
- {name: {{ $name }}, value: {{ $value | toString | quote }}}
{{- end }}
{{- end }}

{{- /* A Deployment of a kind of node. The dictionary has root, kind, roles and node. */ -}}
{{- define "savepage.deployment" -}}
{{- $root := .root }}
{{- $render := eq .kind "render" }}
{{- $secrets := include "savepage.secrets" $root | trim }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "savepage.name" $root }}-{{ .kind }}
  labels:
    {{- include "savepage.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .kind }}
spec:
  {{- if not .node.autoscaling.enabled }}
  replicas: {{ .node.replicas }}
  {{- end }}
  strategy: {type: {{ $root.Values.strategy }}}
  selector:
    matchLabels:
      {{- include "savepage.selector" $root | nindent 6 }}
      app.kubernetes.io/component: {{ .kind }}
  template:
    metadata:
      labels:
        {{- include "savepage.labels" $root | nindent 8 }}
        app.kubernetes.io/component: {{ .kind }}
      annotations:
        checksum/secrets: {{ $secrets | sha256sum }}
        {{- if $root.Values.metrics.annotations }}
        prometheus.io/scrape: "true"
        prometheus.io/path: /metrics
        prometheus.io/port: {{ $root.Values.metrics.port | quote }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "savepage.account" $root }}
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: {{ $root.Values.terminationGracePeriodSeconds }}
      {{- with $root.Values.imagePullSecrets }}
      imagePullSecrets: {{ toYaml . | nindent 8 }}
      {{- end }}
      {{- if $render }}
      shareProcessNamespace: true # collects the processes of browsers that ended
      {{- end }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        runAsGroup: 10001
        fsGroup: 10001
        seccompProfile: {{ if $render }}{{ toJson .node.seccompProfile }}{{ else }}{type: RuntimeDefault}{{ end }}
      containers:
        - name: savepage
          image: "{{ $root.Values.image.repository }}:{{ $root.Values.image.tag | default $root.Chart.AppVersion }}"
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: [serve]
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          env:
            {{- include "savepage.environment" . | nindent 12 }}
          {{- if or $secrets $root.Values.aws.existingSecret }}
          envFrom:
            {{- if $secrets }}
            - secretRef: {name: {{ include "savepage.name" $root }}}
            {{- end }}
            {{- with $root.Values.aws.existingSecret }}
            - secretRef: {name: {{ . }}}
            {{- end }}
          {{- end }}
          ports:
            - {name: http, containerPort: 8080}
            - {name: metrics, containerPort: {{ $root.Values.metrics.port }}}
          # The host is one that a server answers to whatever SAVEPAGE_ALLOWED_HOSTS says. The first start makes tables.
          startupProbe:
            httpGet: {path: /healthz, port: http, httpHeaders: [{name: Host, value: localhost}]}
            periodSeconds: 2
            failureThreshold: 60
          livenessProbe:
            httpGet: {path: /healthz, port: http, httpHeaders: [{name: Host, value: localhost}]}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          readinessProbe:
            httpGet: {path: /readyz, port: http, httpHeaders: [{name: Host, value: localhost}]}
            periodSeconds: 5
            timeoutSeconds: 5
          resources: {{ toYaml .node.resources | nindent 12 }}
          volumeMounts:
            - {name: data, mountPath: /data}
            - {name: tmp, mountPath: /tmp}
            {{- if $render }}
            - {name: shm, mountPath: /dev/shm}
            {{- end }}
      volumes:
        - {name: data, emptyDir: {}}
        - {name: tmp, emptyDir: {}}
        {{- if $render }}
        - {name: shm, emptyDir: {medium: Memory, sizeLimit: {{ .node.sharedMemory }}}}
        {{- end }}
      {{- with .node.nodeSelector }}
      nodeSelector: {{ toYaml . | nindent 8 }}
      {{- end }}
      {{- with .node.tolerations }}
      tolerations: {{ toYaml . | nindent 8 }}
      {{- end }}
      {{- with .node.affinity }}
      affinity: {{ toYaml . | nindent 8 }}
      {{- else }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "savepage.selector" $root | nindent 14 }}
              app.kubernetes.io/component: {{ .kind }}
      {{- end }}
{{- end }}

{{- /* What keeps some of a kind of node running, and what makes more of them. */ -}}
{{- define "savepage.bounds" -}}
{{- $root := .root }}
{{- if .node.podDisruptionBudget.enabled }}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "savepage.name" $root }}-{{ .kind }}
  labels:
    {{- include "savepage.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .kind }}
spec:
  maxUnavailable: {{ .node.podDisruptionBudget.maxUnavailable }}
  selector:
    matchLabels:
      {{- include "savepage.selector" $root | nindent 6 }}
      app.kubernetes.io/component: {{ .kind }}
{{- end }}
{{- if .node.autoscaling.enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "savepage.name" $root }}-{{ .kind }}
  labels:
    {{- include "savepage.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .kind }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ include "savepage.name" $root }}-{{ .kind }}}
  minReplicas: {{ .node.autoscaling.minReplicas }}
  maxReplicas: {{ .node.autoscaling.maxReplicas }}
  metrics:
    {{- if .node.autoscaling.cpu }}
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: {{ .node.autoscaling.cpu }}}}
    {{- end }}
    {{- if .node.autoscaling.queue }}
    - type: External
      external:
        metric: {name: {{ .node.autoscaling.queueMetric }}}
        target: {type: AverageValue, averageValue: {{ .node.autoscaling.queue | quote }}}
    {{- end }}
  behavior:
    scaleDown: {stabilizationWindowSeconds: 300}
{{- end }}
{{- end }}

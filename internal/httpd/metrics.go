package httpd

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// collectTimeout bounds what a scrape may wait for the sources.
const collectTimeout = 2 * time.Second

// Queue is the state of one queue.
type Queue struct {
	Name    string
	Waiting int
	Running int
	Oldest  time.Duration // how long the oldest due job has waited
}

// Browsers is the state of the browsers.
type Browsers struct {
	Running  int    // processes
	Pages    int    // in use
	Warm     int    // contexts made ahead
	Restarts uint64 // since the start
}

// Deliveries are the numbers of callbacks by state.
type Deliveries struct {
	Pending         int
	Dead            int    // dead letters that are kept
	Delivered       uint64 // since the start
	Died            uint64 // since the start
	OpenReceivers   int    // receivers that fail: their deliveries wait
	ReceiversOpened uint64 // how often a receiver began to fail, since the start
}

// Part is whether a part of the service works.
type Part struct {
	Name   string
	Sick   bool
	Faults uint64 // how often it has become sick
}

// Sources are asked at each scrape. Nil ones are left out.
type Sources struct {
	Queues     func(ctx context.Context) ([]Queue, error)
	Deliveries func(ctx context.Context) (Deliveries, error)
	Browsers   func() Browsers
	Parts      func() []Part
}

// Phases are the parts of a capture's time.
type Phases struct {
	Queue, Navigate, Settle, Shoot, Encode, Store time.Duration
}

// Metrics counts what happens, for Prometheus. Its methods may be called by several goroutines and never block.
type Metrics struct {
	registry *prometheus.Registry
	accepted *prometheus.CounterVec
	cache    *prometheus.CounterVec
	ended    *prometheus.CounterVec
	retried  *prometheus.CounterVec
	total    prometheus.Histogram
	phases   *prometheus.HistogramVec
	attempts *prometheus.CounterVec
	webhooks prometheus.Histogram
	puts     *prometheus.CounterVec
	stores   prometheus.Histogram
	requests *prometheus.HistogramVec
}

// NewMetrics makes the measurements, those of the process and of Go included.
func NewMetrics(version string, sources Sources) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		accepted: counter("captures_accepted_total", "Captures accepted; replayed ones were known by their Idempotency-Key.", "replayed"),
		cache: counter("cache_total", "Captures with cache_ttl: hit got a kept picture, joined shared a render, miss was rendered.",
			"outcome"),
		ended:   counter("captures_ended_total", "Captures ended, by state and code of the error.", "state", "code"),
		retried: counter("captures_retried_total", "Renders that will be tried again, by code of the error.", "code"),
		total:   histogram("capture_seconds", "Time from acceptance to the end of a capture."),
		phases: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "savepage", Name: "capture_phase_seconds", Help: "Time of a successful capture by phase.", Buckets: seconds(),
		}, []string{"phase"}),
		attempts: counter("webhook_attempts_total", "Attempts to deliver a callback, by outcome.", "outcome"),
		puts:     counter("store_attempts_total", "Attempts to put a picture into a store of an account, by outcome.", "outcome"),
		stores:   histogram("store_attempt_seconds", "Time of an attempt to put a picture into a store of an account."),
		webhooks: histogram("webhook_attempt_seconds", "Time of an attempt to deliver a callback."),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "savepage", Name: "http_request_seconds", Help: "Time of HTTP requests, those that wait for a picture included.",
			Buckets: seconds(),
		}, []string{"method", "route", "status"}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: "savepage", Name: "build_info", Help: "Always 1; the version is its label.",
		ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	m.registry.MustRegister(build, m.accepted, m.cache, m.ended, m.retried, m.total, m.phases, m.attempts, m.webhooks, m.puts, m.stores,
		m.requests,
		newStates(sources), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "savepage", Name: name, Help: help}, labels)
}

func histogram(name, help string) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "savepage", Name: name, Help: help, Buckets: seconds()})
}

// seconds are buckets from a millisecond to five minutes.
func seconds() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 25, 60, 120, 300}
}

// Accepted counts an accepted capture.
func (m *Metrics) Accepted(replayed bool) {
	m.accepted.WithLabelValues(strconv.FormatBool(replayed)).Inc()
}

// Cache counts a capture that may be answered with a kept picture: hit, joined or miss.
func (m *Metrics) Cache(outcome string) { m.cache.WithLabelValues(outcome).Inc() }

// Ended counts a capture's end. code is empty without an error.
func (m *Metrics) Ended(state, code string, total time.Duration) {
	m.ended.WithLabelValues(state, code).Inc()
	m.total.Observe(total.Seconds())
}

// Phases measures the parts of a successful capture.
func (m *Metrics) Phases(p Phases) {
	for name, took := range map[string]time.Duration{
		"queue": p.Queue, "navigate": p.Navigate, "settle": p.Settle, "shoot": p.Shoot, "encode": p.Encode, "store": p.Store,
	} {
		m.phases.WithLabelValues(name).Observe(took.Seconds())
	}
}

// Retried counts a render that will be tried again.
func (m *Metrics) Retried(code string) { m.retried.WithLabelValues(code).Inc() }

// WebhookAttempt counts one attempt to deliver a callback.
func (m *Metrics) WebhookAttempt(outcome string, took time.Duration) {
	m.attempts.WithLabelValues(outcome).Inc()
	m.webhooks.Observe(took.Seconds())
}

// StoreAttempt counts one attempt to put a picture into a store of an account.
func (m *Metrics) StoreAttempt(outcome string, took time.Duration) {
	m.puts.WithLabelValues(outcome).Inc()
	m.stores.Observe(took.Seconds())
}

// request measures a request. Unusual methods count as one.
func (m *Metrics) request(method, route string, status int, took time.Duration) {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
	default:
		method = "other"
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
}

// Handler serves the measurements.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// states asks the sources at each scrape.
type states struct {
	sources                          Sources
	waiting, running, oldest, failed *prometheus.Desc
	browsers, pages, warm, restarts  *prometheus.Desc
	deliveries, delivered            *prometheus.Desc
	open, opened                     *prometheus.Desc
	sick, faults                     *prometheus.Desc
}

func newStates(sources Sources) *states {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("savepage_"+name, help, labels, nil)
	}
	return &states{
		sources: sources,
		waiting: desc("queue_waiting", "Jobs that wait, those with a later time included.", "queue"),
		running: desc("queue_running", "Jobs that a worker holds.", "queue"),
		oldest:  desc("queue_oldest_seconds", "How long the oldest due job has waited.", "queue"),
		failed:  desc("queue_unknown", "1 when the queues could not be read."),

		deliveries: desc("deliveries", "Callbacks by state: those that are owed, and the dead letters that are kept.", "state"),
		delivered:  desc("deliveries_ended_total", "Callbacks that have ended, by state.", "state"),
		open:       desc("receivers_open", "Receivers that fail: their deliveries wait and use no attempts."),
		opened:     desc("receivers_opened_total", "How often a receiver has begun to fail."),

		browsers: desc("browsers", "Browser processes."),
		pages:    desc("browser_pages", "Pages in use."),
		warm:     desc("browser_warm_contexts", "Contexts made ahead."),
		restarts: desc("browser_restarts_total", "Browsers started to replace another."),

		sick:   desc("part_sick", "1 while a part of the service does not work: captures wait for it.", "part"),
		faults: desc("part_faults_total", "How often a part of the service has ceased to work.", "part"),
	}
}

// Describe names all that Collect may send.
func (s *states) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		s.waiting, s.running, s.oldest, s.failed, s.browsers, s.pages, s.warm, s.restarts, s.deliveries,
		s.delivered, s.open, s.opened, s.sick, s.faults,
	} {
		out <- d
	}
}

// Collect asks the sources.
func (s *states) Collect(out chan<- prometheus.Metric) {
	if s.sources.Queues != nil {
		s.collectQueues(out)
	}
	if s.sources.Deliveries != nil {
		s.collectDeliveries(out)
	}
	if s.sources.Parts != nil {
		s.collectParts(out)
	}
	if s.sources.Browsers == nil {
		return
	}
	b := s.sources.Browsers()
	out <- prometheus.MustNewConstMetric(s.browsers, prometheus.GaugeValue, float64(b.Running))
	out <- prometheus.MustNewConstMetric(s.pages, prometheus.GaugeValue, float64(b.Pages))
	out <- prometheus.MustNewConstMetric(s.warm, prometheus.GaugeValue, float64(b.Warm))
	out <- prometheus.MustNewConstMetric(s.restarts, prometheus.CounterValue, float64(b.Restarts))
}

func (s *states) collectParts(out chan<- prometheus.Metric) {
	for _, p := range s.sources.Parts() {
		sick := 0.0
		if p.Sick {
			sick = 1
		}
		out <- prometheus.MustNewConstMetric(s.sick, prometheus.GaugeValue, sick, p.Name)
		out <- prometheus.MustNewConstMetric(s.faults, prometheus.CounterValue, float64(p.Faults), p.Name)
	}
}

// collectDeliveries leaves the counts out when they cannot be read: queue_unknown shows it.
func (s *states) collectDeliveries(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), collectTimeout)
	defer cancel()
	d, err := s.sources.Deliveries(ctx)
	if err == nil {
		out <- prometheus.MustNewConstMetric(s.deliveries, prometheus.GaugeValue, float64(d.Pending), "pending")
		out <- prometheus.MustNewConstMetric(s.deliveries, prometheus.GaugeValue, float64(d.Dead), "dead")
	}
	out <- prometheus.MustNewConstMetric(s.delivered, prometheus.CounterValue, float64(d.Delivered), "delivered")
	out <- prometheus.MustNewConstMetric(s.delivered, prometheus.CounterValue, float64(d.Died), "dead")
	out <- prometheus.MustNewConstMetric(s.open, prometheus.GaugeValue, float64(d.OpenReceivers))
	out <- prometheus.MustNewConstMetric(s.opened, prometheus.CounterValue, float64(d.ReceiversOpened))
}

func (s *states) collectQueues(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), collectTimeout)
	defer cancel()
	queues, err := s.sources.Queues(ctx)
	unknown := 0.0
	if err != nil {
		unknown = 1
	}
	out <- prometheus.MustNewConstMetric(s.failed, prometheus.GaugeValue, unknown)
	for _, q := range queues {
		out <- prometheus.MustNewConstMetric(s.waiting, prometheus.GaugeValue, float64(q.Waiting), q.Name)
		out <- prometheus.MustNewConstMetric(s.running, prometheus.GaugeValue, float64(q.Running), q.Name)
		out <- prometheus.MustNewConstMetric(s.oldest, prometheus.GaugeValue, q.Oldest.Seconds(), q.Name)
	}
}

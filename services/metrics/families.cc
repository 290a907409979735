#include "services/metrics/families.h"

#include <limits>
#include <utility>

namespace tsunagi::metrics {

using prometheus::ClientMetric;
using prometheus::MetricType;

ClientMetric& Families::Add(absl::string_view name, absl::string_view help, MetricType type, Labels labels) {
  if (families_.empty() || families_.back().name != name) {
    families_.push_back({std::string(name), std::string(help), type, {}});
  }
  ClientMetric& metric = families_.back().metric.emplace_back();
  metric.label = std::move(labels);
  return metric;
}

void Families::Gauge(absl::string_view name, absl::string_view help, double value, Labels labels) {
  Add(name, help, MetricType::Gauge, std::move(labels)).gauge.value = value;
}

void Families::Counter(absl::string_view name, absl::string_view help, double value, Labels labels) {
  Add(name, help, MetricType::Counter, std::move(labels)).counter.value = value;
}

void Families::Distribution(absl::string_view name, absl::string_view help, const Histogram::Reading& reading,
                            double unit, Labels labels) {
  ClientMetric::Histogram& shown = Add(name, help, MetricType::Histogram, std::move(labels)).histogram;
  for (size_t i = 0; i < reading.counts.size(); ++i) {
    shown.sample_count += reading.counts[i];
    const double bound = i < reading.bounds.size() ? static_cast<double>(reading.bounds[i]) * unit
                                                   : std::numeric_limits<double>::infinity();
    shown.bucket.push_back({shown.sample_count, bound});
  }
  shown.sample_sum = static_cast<double>(reading.sum) * unit;
}

}  // namespace tsunagi::metrics

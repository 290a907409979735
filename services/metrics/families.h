// Metrics of one scrape, in the making.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/histogram.h"
#include "prometheus/metric_family.h"

namespace tsunagi::metrics {

// Values of labels come from enums, access rows and the build: never a participant, a person, an address, a
// key or a text from outside (docs/adr/0018-metrics.md).
using Labels = std::vector<prometheus::ClientMetric::Label>;

// Builds the families. Series of one family are added one after the other, all with the same label names.
class Families {
 public:
  // Now; `name` ends with its unit.
  void Gauge(absl::string_view name, absl::string_view help, double value, Labels labels = {});
  // Since the start; `name` ends with `_total`.
  void Counter(absl::string_view name, absl::string_view help, double value, Labels labels = {});
  // `unit`: how much of the family's unit one of the histogram's numbers is.
  void Distribution(absl::string_view name, absl::string_view help, const Histogram::Reading& reading,
                    double unit, Labels labels = {});

  std::vector<prometheus::MetricFamily> Take() { return std::move(families_); }

 private:
  prometheus::ClientMetric& Add(absl::string_view name, absl::string_view help, prometheus::MetricType type,
                                Labels labels);

  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace tsunagi::metrics

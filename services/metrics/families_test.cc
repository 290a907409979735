#include "services/metrics/families.h"

#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"

namespace tsunagi::metrics {
namespace {

std::string TextOf(Families& families) {
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families.Take());
  return text.str();
}

TEST(FamiliesTest, PutsSeriesOfOneNameIntoOneFamily) {
  Families families;
  families.Counter("tsunagi_a_total", "A.", 1, {{"kind", "x"}});
  families.Counter("tsunagi_a_total", "A.", 2, {{"kind", "y"}});
  families.Gauge("tsunagi_b", "B.", 3);

  EXPECT_EQ(TextOf(families),
            "# HELP tsunagi_a_total A.\n"
            "# TYPE tsunagi_a_total counter\n"
            "tsunagi_a_total{kind=\"x\"} 1\n"
            "tsunagi_a_total{kind=\"y\"} 2\n"
            "# HELP tsunagi_b B.\n"
            "# TYPE tsunagi_b gauge\n"
            "tsunagi_b 3\n");
}

TEST(FamiliesTest, AddsTheBucketsOfADistributionUpInTheFamilysUnit) {
  static constexpr uint64_t kBounds[] = {1000, 4000};
  Histogram histogram(kBounds);
  for (const uint64_t value : {500, 1000, 3000, 9000}) histogram.Observe(value);
  Families families;

  families.Distribution("tsunagi_c_seconds", "C.", histogram.Read(), 1e-3);

  EXPECT_EQ(TextOf(families),
            "# HELP tsunagi_c_seconds C.\n"
            "# TYPE tsunagi_c_seconds histogram\n"
            "tsunagi_c_seconds_count 4\n"
            "tsunagi_c_seconds_sum 13.5\n"
            "tsunagi_c_seconds_bucket{le=\"1\"} 2\n"
            "tsunagi_c_seconds_bucket{le=\"4\"} 3\n"
            "tsunagi_c_seconds_bucket{le=\"+Inf\"} 4\n");
}

}  // namespace
}  // namespace tsunagi::metrics

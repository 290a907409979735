#include "services/metrics/common.h"

#include <cmath>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/federation.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::metrics {
namespace {

// The value of the only series of a family.
double ValueOf(Families& families, absl::string_view name) {
  for (const prometheus::MetricFamily& family : families.Take()) {
    if (family.name == name) return family.metric.at(0).gauge.value;
  }
  return NAN;
}

TEST(TrustMetricsTest, AgesCountFromTheSignatureByTheClock) {
  testing::FakeClock clock;
  testing::TestFederation federation(clock);
  const auto show = [&](absl::string_view name) {
    Families families;
    AddTrust(federation.trust(), clock.Now(), families);
    return ValueOf(families, name);
  };
  const double version = show("tsunagi_status_list_version");
  EXPECT_EQ(show("tsunagi_status_list_age_seconds"), 0);

  clock.Advance(absl::Seconds(90));
  EXPECT_EQ(show("tsunagi_status_list_age_seconds"), 90);

  ASSERT_THAT(federation.PublishStatus(), testing::IsOk());
  EXPECT_EQ(show("tsunagi_status_list_age_seconds"), 0);
  EXPECT_EQ(show("tsunagi_status_list_version"), version + 1);
}

TEST(TrustMetricsTest, TheAgeOfTheBundleCountsFromItsSignature) {
  testing::FakeClock clock;
  testing::TestFederation federation(clock);
  ASSERT_THAT(federation.PublishBundle(), testing::IsOk());

  clock.Advance(absl::Seconds(30));

  Families families;
  AddTrust(federation.trust(), clock.Now(), families);
  EXPECT_EQ(ValueOf(families, "tsunagi_trust_bundle_age_seconds"), 30);
}

TEST(TrustMetricsTest, AgesAreEndlessBeforeThereIsAList) {
  testing::FakeClock clock;
  testing::TestFederation federation(clock);
  const identity::TrustStore empty(federation.root(), federation.name(), clock);
  for (const char* name : {"tsunagi_status_list_age_seconds", "tsunagi_trust_bundle_age_seconds"}) {
    Families families;
    AddTrust(empty, clock.Now(), families);
    EXPECT_TRUE(std::isinf(ValueOf(families, name))) << name;
  }
}

TEST(CertificateMetricsTest, GoesBelowZeroOnceItHasEnded) {
  testing::FakeClock clock;
  const absl::Time end = clock.Now() + absl::Hours(1);
  Families before;
  AddOwnCertificate(end, clock.Now(), before);
  Families after;
  AddOwnCertificate(end, clock.Now() + absl::Hours(2), after);

  EXPECT_EQ(ValueOf(before, "tsunagi_certificate_expires_in_seconds"), 3600);
  EXPECT_EQ(ValueOf(after, "tsunagi_certificate_expires_in_seconds"), -3600);
}

}  // namespace
}  // namespace tsunagi::metrics

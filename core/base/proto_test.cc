#include "core/base/proto.h"

#include "google/protobuf/struct.pb.h"
#include "tests/support/status_matchers.h"
#include "tsunagi/common/v1/types.pb.h"

namespace tsunagi {
namespace {

using absl::StatusCode;
using testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

common::v1::Subject Battery() {
  common::v1::Subject subject;
  subject.mutable_battery()->set_manufacturer("did:web:maker.example");
  subject.mutable_battery()->set_serial("M-1");
  return subject;
}

TEST(EncodeTest, RoundTrips) {
  common::v1::Subject read;

  ASSERT_THAT(DecodeCanonical(Encode(Battery()), "subject", read), IsOk());

  EXPECT_EQ(read.battery().serial(), "M-1");
}

TEST(EncodeTest, WritesMapsInOneOrder) {
  google::protobuf::Struct one;
  google::protobuf::Struct other;
  for (int i = 0; i < 50; ++i) (*one.mutable_fields())[std::to_string(i)].set_number_value(i);
  for (int i = 49; i >= 0; --i) (*other.mutable_fields())[std::to_string(i)].set_number_value(i);

  EXPECT_EQ(Encode(one), Encode(other));
}

TEST(DecodeTest, NamesWhatIsMalformed) {
  common::v1::Subject subject;

  EXPECT_THAT(Decode("\xff\xff", "seal", subject),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("seal is malformed")));
}

TEST(DecodeTest, RefusesTextThatIsNoUtf8) {
  common::v1::Subject subject;

  EXPECT_THAT(Decode("\x12\x01\xff", "subject", subject), StatusIs(StatusCode::kInvalidArgument));
}

TEST(DecodeCanonicalTest, RefusesUnknownFieldsAtEveryDepth) {
  common::v1::Subject subject;
  const std::string outside = Encode(Battery()) + "\x78\x01";

  EXPECT_THAT(DecodeCanonical(outside, "subject", subject),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("does not know")));
  EXPECT_THAT(DecodeCanonical("\x0a\x02\x78\x01", "subject", subject),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("does not know")));
}

TEST(DecodeCanonicalTest, RefusesOtherOrderRepetitionDefaultsAndPadding) {
  common::v1::YearMonth month;
  const struct {
    const char* name;
    std::string bytes;
  } kCases[] = {
      {"other order", std::string("\x10\x02\x08\x01")},
      {"field twice", std::string("\x08\x02\x08\x01\x10\x02")},
      {"explicit default", std::string("\x08\x01\x10\x00", 4)},
      {"padded number", std::string("\x08\x81\x00\x10\x02", 5)},
  };

  ASSERT_THAT(DecodeCanonical("\x08\x01\x10\x02", "month", month), IsOk());
  for (const auto& c : kCases) {
    EXPECT_THAT(DecodeCanonical(c.bytes, "month", month),
                StatusIs(StatusCode::kInvalidArgument, HasSubstr("canonical")))
        << c.name;
  }
}

TEST(TimestampTest, RoundTripsToTheNanosecond) {
  for (const absl::Time time : {absl::UnixEpoch(), absl::FromUnixNanos(1795219200123456789),
                                absl::UnixEpoch() - absl::Nanoseconds(1)}) {
    EXPECT_THAT(FromProto(ToProto(time)), IsOkAndHolds(time));
  }
}

TEST(TimestampTest, ClampsWhatAProtoCannotSay) {
  EXPECT_EQ(ToProto(absl::InfinitePast()).seconds(), -62135596800);
  EXPECT_EQ(ToProto(absl::InfiniteFuture()).seconds(), 253402300799);
  EXPECT_EQ(ToProto(absl::InfiniteFuture()).nanos(), 999999999);
}

TEST(TimestampTest, RefusesOtherYearsAndNanos) {
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(253402300800);
  EXPECT_THAT(FromProto(timestamp), StatusIs(StatusCode::kInvalidArgument));
  timestamp.set_seconds(-62135596801);
  EXPECT_THAT(FromProto(timestamp), StatusIs(StatusCode::kInvalidArgument));
  timestamp.set_seconds(0);
  timestamp.set_nanos(-1);
  EXPECT_THAT(FromProto(timestamp), StatusIs(StatusCode::kInvalidArgument));
  timestamp.set_nanos(1000000000);
  EXPECT_THAT(FromProto(timestamp), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace tsunagi

#include "identity/bitstring.h"

#include <zlib.h>

#include "absl/strings/str_cat.h"
#include "core/base/bytes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tsunagi::identity {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using tsunagi::testing::IsOk;
using tsunagi::testing::StatusIs;
using enum absl::StatusCode;

// GZIP of these bytes by zlib.
std::string Gzip(const std::string& bytes, int window = 15 + 16) {
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string Encoded(const std::string& bytes) { return absl::StrCat("u", ToBase64Url(Gzip(bytes))); }

TEST(BitstringTest, KeepsTheBitsThatAreSet) {
  Bitstring bits;
  for (const size_t index : {0, 7, 8, 94567, 131071}) bits.Set(index);

  const auto read = Bitstring::Decode(bits.Encode());

  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->size(), 131072u);
  size_t set = 0;
  for (size_t i = 0; i < read->size(); ++i) set += read->IsSet(i) ? 1 : 0;
  EXPECT_EQ(set, 5u);
  for (const size_t index : {0, 7, 8, 94567, 131071}) EXPECT_TRUE(read->IsSet(index)) << index;
  EXPECT_FALSE(read->IsSet(131072));
}

TEST(BitstringTest, HasBitZeroLeftmost) {
  std::string bytes(Bitstring::kMinBits / 8, '\0');
  bytes[0] = '\x80';
  bytes[1] = '\x01';

  const auto read = Bitstring::Decode(Encoded(bytes));

  ASSERT_THAT(read, IsOk());
  EXPECT_TRUE(read->IsSet(0));
  EXPECT_FALSE(read->IsSet(7));
  EXPECT_TRUE(read->IsSet(15));
}

TEST(BitstringTest, IsShortWhileFewBitsAreSet) { EXPECT_LT(Bitstring().Encode().size(), 200u); }

TEST(BitstringTest, StopsUnpackingAtTheBound) {
  // A bomb: 64 MiB that are 64 KiB once packed.
  const std::string bomb = Encoded(std::string(64 << 20, '\0'));
  ASSERT_LT(bomb.size(), 100u << 10);

  EXPECT_THAT(Bitstring::Decode(bomb), StatusIs(kInvalidArgument, HasSubstr("more than 524288 bytes")));
  EXPECT_THAT(Bitstring::Decode(Encoded(std::string(Bitstring::kMaxBits / 8 + 1, '\0'))),
              StatusIs(kInvalidArgument, HasSubstr("more than 524288 bytes")));
  EXPECT_THAT(Bitstring::Decode(Encoded(std::string(Bitstring::kMaxBits / 8, '\0'))), IsOk());
}

TEST(BitstringTest, RefusesWhatIsNoList) {
  const std::string good = Bitstring().Encode();
  const std::string zeros(Bitstring::kMinBits / 8, '\0');
  const std::string packed = Gzip(zeros);

  EXPECT_THAT(Bitstring::Decode(""), StatusIs(kInvalidArgument, HasSubstr("prefix")));
  EXPECT_THAT(Bitstring::Decode(good.substr(1)), StatusIs(kInvalidArgument, HasSubstr("prefix")));
  EXPECT_THAT(Bitstring::Decode("z" + good.substr(1)), StatusIs(kInvalidArgument, HasSubstr("prefix")));
  EXPECT_THAT(Bitstring::Decode(good + "="), StatusIs(kInvalidArgument, HasSubstr("base64url")));
  EXPECT_THAT(Bitstring::Decode("u"), StatusIs(kInvalidArgument, HasSubstr("GZIP")));
  EXPECT_THAT(Bitstring::Decode("u" + ToBase64Url(zeros)), StatusIs(kInvalidArgument, HasSubstr("GZIP")));
  EXPECT_THAT(Bitstring::Decode("u" + ToBase64Url(Gzip(zeros, 15))),
              StatusIs(kInvalidArgument, HasSubstr("GZIP")));
  EXPECT_THAT(Bitstring::Decode("u" + ToBase64Url(packed.substr(0, packed.size() - 1))),
              StatusIs(kInvalidArgument, HasSubstr("GZIP")));
  EXPECT_THAT(Bitstring::Decode("u" + ToBase64Url(packed + "x")),
              StatusIs(kInvalidArgument, HasSubstr("GZIP")));
  EXPECT_THAT(Bitstring::Decode(Encoded(zeros.substr(1))), StatusIs(kInvalidArgument, HasSubstr("fewer")));
  EXPECT_THAT(Bitstring::Decode("u" + std::string(1 << 20, 'A')),
              StatusIs(kInvalidArgument, HasSubstr("longer")));
  EXPECT_THAT(good, StartsWith("u"));
}

}  // namespace
}  // namespace tsunagi::identity

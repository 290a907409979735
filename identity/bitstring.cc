#include "identity/bitstring.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/bytes.h"
#include "core/base/fatal.h"

namespace tsunagi::identity {
namespace {

// zlib's windowBits for a GZIP header and trailer, and nothing else.
constexpr int kGzip = 15 + 16;
constexpr int kMemoryLevel = 8;
constexpr size_t kMaxBytes = Bitstring::kMaxBits / 8;
// No list of kMaxBits is longer: GZIP adds less than this to what cannot be packed.
constexpr size_t kMaxText = kMaxBytes * 4 / 3 + 4096;

Bytef* Writable(std::string& bytes) { return reinterpret_cast<Bytef*>(bytes.data()); }
// zlib does not write to its input.
Bytef* Readable(absl::string_view bytes) { return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data())); }

absl::Status Wrong(absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("encodedList ", why));
}

std::string Pack(const std::string& bytes) {
  z_stream stream = {};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzip, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    Fatal("no memory for packing a status list");
  }
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = Readable(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = Writable(packed);
  stream.avail_out = static_cast<uInt>(packed.size());
  const int result = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) Fatal("packing a status list failed");
  return packed;
}

// At most `max` bytes; one byte more is asked for, to tell what is too long.
absl::StatusOr<std::string> Unpack(absl::string_view packed, size_t max) {
  z_stream stream = {};
  if (inflateInit2(&stream, kGzip) != Z_OK)
    return absl::ResourceExhaustedError("no memory for a status list");
  std::string bytes(max + 1, '\0');
  stream.next_in = Readable(packed);
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = Writable(bytes);
  stream.avail_out = static_cast<uInt>(bytes.size());
  const int result = inflate(&stream, Z_FINISH);
  const size_t size = stream.total_out;
  const bool trailing = stream.avail_in != 0;
  inflateEnd(&stream);
  if (size > max) return Wrong(absl::StrCat("unpacks to more than ", max, " bytes"));
  if (result != Z_STREAM_END || trailing) return Wrong("is not one whole GZIP member");
  bytes.resize(size);
  return bytes;
}

}  // namespace

absl::StatusOr<Bitstring> Bitstring::Decode(absl::string_view encoded_list) {
  if (encoded_list.size() > kMaxText) return Wrong(absl::StrCat("is longer than ", kMaxText, " characters"));
  if (!absl::ConsumePrefix(&encoded_list, "u")) return Wrong("has no multibase prefix `u`");
  const absl::StatusOr<std::string> packed = FromBase64Url(encoded_list);
  if (!packed.ok()) return Wrong("is not strict base64url");
  absl::StatusOr<std::string> bytes = Unpack(*packed, kMaxBytes);
  if (!bytes.ok()) return bytes.status();
  if (bytes->size() < kMinBits / 8) return Wrong(absl::StrCat("has fewer than ", kMinBits, " bits"));
  return Bitstring(*std::move(bytes));
}

std::string Bitstring::Encode() const { return absl::StrCat("u", ToBase64Url(Pack(bytes_))); }

void Bitstring::Set(size_t index) {
  char& byte = bytes_.at(index / 8);
  byte = static_cast<char>(static_cast<unsigned char>(byte) | (0x80u >> (index % 8)));
}

bool Bitstring::IsSet(size_t index) const {
  return index < size() && (static_cast<unsigned char>(bytes_[index / 8]) & (0x80u >> (index % 8))) != 0;
}

}  // namespace tsunagi::identity

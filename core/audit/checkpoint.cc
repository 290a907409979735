#include "core/audit/checkpoint.h"

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/bytes.h"
#include "core/base/status_macros.h"

namespace tsunagi::audit {
namespace {

// Signature types of c2sp.org/signed-note.
constexpr char kEd25519 = '\x01';
constexpr char kCosignature = '\x04';

constexpr absl::string_view kLineStart = "\xe2\x80\x94 ";  // em dash, space
constexpr size_t kMaxNoteBytes = 16384;
constexpr size_t kMaxSignatures = 32;
constexpr size_t kKeyIdSize = 4;
constexpr size_t kTimeSize = 8;
constexpr size_t kSignatureSize = 64;

struct SignatureLine {
  std::string name;
  std::string key_id;     // 4 bytes
  std::string signature;  // what follows the key id
};

struct Note {
  std::string body;  // ends with a line feed
  Checkpoint checkpoint;
  std::vector<SignatureLine> lines;
};

absl::Status Wrong(absl::string_view what) { return absl::DataLossError(absl::StrCat("checkpoint: ", what)); }

std::string KeyId(absl::string_view name, char type, const crypto::PublicKey& key) {
  const std::string raw = key.Ed25519Raw();
  return crypto::Sha256({name, "\n", absl::string_view(&type, 1), raw}).substr(0, kKeyIdSize);
}

std::string Body(const Checkpoint& checkpoint) {
  return absl::StrCat(checkpoint.origin, "\n", checkpoint.size, "\n", ToBase64(checkpoint.root), "\n");
}

std::string FormatLine(absl::string_view name, absl::string_view key_id, absl::string_view signature) {
  return absl::StrCat(kLineStart, name, " ", ToBase64(absl::StrCat(key_id, signature)), "\n");
}

// Our names are printable ASCII, which also rules out control characters and broken UTF-8.
bool IsName(absl::string_view name) {
  for (const char c : name) {
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c)) || c == '+') return false;
  }
  return !name.empty();
}

absl::StatusOr<SignatureLine> ParseLine(absl::string_view line) {
  if (!absl::ConsumePrefix(&line, kLineStart)) return Wrong("a signature line does not start with `— `");
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
  if (words.size() != 2 || !IsName(words[0])) return Wrong("a signature line is not `— name base64`");
  absl::StatusOr<std::string> bytes = FromBase64(words[1]);
  if (!bytes.ok() || bytes->size() <= kKeyIdSize)
    return Wrong("a signature is not strict base64 of key id and bytes");
  return SignatureLine{std::string(words[0]), bytes->substr(0, kKeyIdSize), bytes->substr(kKeyIdSize)};
}

absl::StatusOr<Checkpoint> ParseBody(absl::string_view body) {
  const std::vector<absl::string_view> lines = absl::StrSplit(body, '\n');
  if (lines.size() != 4 || !lines[3].empty()) return Wrong("the body is not three lines: origin, size, root");
  Checkpoint checkpoint;
  if (!IsName(lines[0])) return Wrong("the origin is not printable ASCII without space or plus");
  checkpoint.origin = std::string(lines[0]);
  if (!absl::SimpleAtoi(lines[1], &checkpoint.size)) return Wrong("the size is not a number");
  absl::StatusOr<std::string> root = FromBase64(lines[2]);
  if (!root.ok() || root->size() != crypto::kDigestSize)
    return Wrong("the root is not strict base64 of 32 bytes");
  checkpoint.root = *std::move(root);
  if (Body(checkpoint) != body) return Wrong("the size is not written in the one valid way");
  return checkpoint;
}

absl::StatusOr<std::vector<SignatureLine>> ParseLines(absl::string_view text) {
  if (!absl::ConsumeSuffix(&text, "\n")) return Wrong("the last line has no end");
  std::vector<SignatureLine> lines;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ASSIGN_OR_RETURN(SignatureLine parsed, ParseLine(line));
    for (const SignatureLine& other : lines) {
      if (other.name == parsed.name && other.key_id == parsed.key_id) return Wrong("two lines of one key");
    }
    lines.push_back(std::move(parsed));
    if (lines.size() > kMaxSignatures) return Wrong("more than 32 signatures");
  }
  return lines;
}

absl::StatusOr<Note> ParseNote(absl::string_view text) {
  if (text.size() > kMaxNoteBytes) return Wrong("longer than 16384 bytes");
  const size_t blank = text.rfind("\n\n");
  if (blank == absl::string_view::npos) return Wrong("no blank line between body and signatures");
  Note note;
  note.body = std::string(text.substr(0, blank + 1));
  ASSIGN_OR_RETURN(note.checkpoint, ParseBody(note.body));
  ASSIGN_OR_RETURN(note.lines, ParseLines(text.substr(blank + 2)));
  return note;
}

const SignatureLine* FindLine(const Note& note, absl::string_view name, absl::string_view key_id) {
  for (const SignatureLine& line : note.lines) {
    if (line.name == name && line.key_id == key_id) return &line;
  }
  return nullptr;
}

std::string CosignedMessage(uint64_t seconds, absl::string_view body) {
  return absl::StrCat("cosignature/v1\ntime ", seconds, "\n", body);
}

uint64_t ReadU64(absl::string_view bytes) {
  uint64_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

}  // namespace

std::string SignCheckpoint(const Checkpoint& checkpoint, const crypto::PrivateKey& log_key) {
  const std::string body = Body(checkpoint);
  return absl::StrCat(body, "\n",
                      FormatLine(checkpoint.origin, KeyId(checkpoint.origin, kEd25519, log_key.public_key()),
                                 log_key.Sign(body)));
}

absl::StatusOr<Checkpoint> OpenCheckpoint(absl::string_view note, absl::string_view origin,
                                          const crypto::PublicKey& log_key) {
  ASSIGN_OR_RETURN(Note parsed, ParseNote(note));
  if (parsed.checkpoint.origin != origin) {
    return Wrong(absl::StrCat("origin is `", parsed.checkpoint.origin, "`: expected `", origin, "`"));
  }
  const SignatureLine* line = FindLine(parsed, origin, KeyId(origin, kEd25519, log_key));
  if (line == nullptr) return Wrong(absl::StrCat("no signature of log key `", log_key.id(), "`"));
  if (!log_key.Verify(parsed.body, line->signature)) {
    return Wrong(absl::StrCat("signature does not match log key `", log_key.id(), "`"));
  }
  return std::move(parsed.checkpoint);
}

absl::StatusOr<std::string> Cosign(absl::string_view note, absl::string_view witness_name,
                                   const crypto::PrivateKey& witness_key, absl::Time time) {
  ASSIGN_OR_RETURN(const Note parsed, ParseNote(note));
  const std::string key_id = KeyId(witness_name, kCosignature, witness_key.public_key());
  if (FindLine(parsed, witness_name, key_id) != nullptr) {
    return absl::AlreadyExistsError(absl::StrCat("checkpoint is already cosigned by `", witness_name, "`"));
  }
  const int64_t seconds = absl::ToUnixSeconds(time);
  if (seconds < 0) return absl::InvalidArgumentError("cosignature time is before 1970");
  std::string stamped;
  AppendU64(stamped, static_cast<uint64_t>(seconds));
  stamped += witness_key.Sign(CosignedMessage(static_cast<uint64_t>(seconds), parsed.body));
  return absl::StrCat(note, FormatLine(witness_name, key_id, stamped));
}

absl::StatusOr<absl::Time> CosignatureTime(absl::string_view note, absl::string_view witness_name,
                                           const crypto::PublicKey& witness_key) {
  ASSIGN_OR_RETURN(const Note parsed, ParseNote(note));
  const SignatureLine* line = FindLine(parsed, witness_name, KeyId(witness_name, kCosignature, witness_key));
  if (line == nullptr) {
    return absl::NotFoundError(absl::StrCat("checkpoint has no cosignature of `", witness_name, "`"));
  }
  if (line->signature.size() != kTimeSize + kSignatureSize)
    return Wrong("a cosignature is not 72 bytes long");
  const absl::string_view stamped = line->signature;
  const uint64_t seconds = ReadU64(stamped.substr(0, kTimeSize));
  if (seconds > static_cast<uint64_t>(absl::ToUnixSeconds(
                    absl::FromCivil(absl::CivilSecond(9999, 12, 31, 23, 59, 59), absl::UTCTimeZone())))) {
    return Wrong("a cosignature's time is after year 9999");
  }
  if (!witness_key.Verify(CosignedMessage(seconds, parsed.body), stamped.substr(kTimeSize))) {
    return Wrong(absl::StrCat("cosignature does not match key `", witness_key.id(), "`"));
  }
  return absl::FromUnixSeconds(static_cast<int64_t>(seconds));
}

absl::StatusOr<int> SignatureLineCount(absl::string_view note) {
  ASSIGN_OR_RETURN(const Note parsed, ParseNote(note));
  return static_cast<int>(parsed.lines.size());
}

}  // namespace tsunagi::audit

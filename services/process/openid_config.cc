#include "services/process/openid_config.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/http/egress.h"
#include "services/http/url.h"

namespace tsunagi::process {
namespace {

constexpr size_t kMaxIssuer = 1024;
constexpr size_t kMaxWord = 255;
constexpr int kMaxEntries = 16;

bool IsVisibleAscii(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

bool IsWord(const std::string& text) {
  return !text.empty() && text.size() <= kMaxWord && IsVisibleAscii(text);
}

bool IsIssuer(const std::string& issuer) {
  return issuer.size() <= kMaxIssuer && !absl::StrContains(issuer, '?') && http::ParseHttpsUrl(issuer).ok();
}

}  // namespace

std::vector<FieldMistake> MistakesInOpenId(const internal::v1::OpenIdProvider& provider) {
  std::vector<FieldMistake> mistakes;
  const auto expect = [&](bool ok, absl::string_view field, absl::string_view value,
                          absl::string_view expected) {
    if (!ok) {
      mistakes.push_back(
          {absl::StrCat("openid_provider.", field), std::string(value), std::string(expected)});
    }
  };
  expect(IsIssuer(provider.issuer()), "issuer", provider.issuer(),
         "the issuer as the provider says it: an `https://` URL without query and fragment");
  expect(IsWord(provider.client_id()), "client_id", provider.client_id(),
         "the id that the provider gave this node, 1 to 255 visible ASCII characters");
  expect(provider.account_claim().empty() || IsWord(provider.account_claim()), "account_claim",
         provider.account_claim(), "a claim of the ID token such as `sub`");
  for (int i = 0; i < provider.scopes_size(); ++i) {
    expect(i < kMaxEntries && IsWord(provider.scopes(i)) && provider.scopes(i) != "openid",
           absl::StrCat("scopes[", i, "]"), provider.scopes(i),
           "a scope beside `openid` such as `email`; at most 16");
  }
  for (int i = 0; i < provider.allowed_addresses_size(); ++i) {
    expect(i < kMaxEntries && http::IsWrittenAddress(provider.allowed_addresses(i)),
           absl::StrCat("allowed_addresses[", i, "]"), provider.allowed_addresses(i),
           "an IP address such as `10.1.2.3`; at most 16");
  }
  return mistakes;
}

}  // namespace tsunagi::process

// Receipts (提供証明): verified without network, and stamped for later.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "cli/command.h"
#include "cli/receipt_check.h"
#include "cli/stamps.h"
#include "cli/trust.h"
#include "cli/values.h"
#include "core/audit/receipt.h"
#include "core/audit/stamp.h"
#include "core/base/file.h"
#include "core/base/proto.h"
#include "core/base/status_macros.h"
#include "identity/bundle.h"

namespace tsunagi::cli {
namespace {

constexpr size_t kMaxReceipt = 24 << 20;

struct ReceiptArguments {
  std::vector<std::string> paths;
  std::string root;
  std::string bundle;
  std::string stamping_root;
};

// Empty when the checkpoint carries no cosignature.
std::string CosignedAt(const CheckedReceipt& checked) {
  return checked.cosigned_at.has_value() ? FormatInstant(ToProto(*checked.cosigned_at)) : "";
}

// Null when it has none.
Json StampJson(const CheckedReceipt& checked) {
  if (!checked.has_stamp) return nullptr;
  if (!checked.stamp.has_value()) return {{"verified", false}};
  return {{"verified", true},
          {"stamped_at", FormatInstant(ToProto(checked.stamp->time))},
          {"authority", checked.stamp->authority}};
}

std::string StampText(const CheckedReceipt& checked) {
  if (!checked.stamp.has_value()) return "NOT checked: name the authority's root with --stamping-root";
  return absl::StrCat(FormatInstant(ToProto(checked.stamp->time)), " by ", checked.stamp->authority);
}

Json ReceiptJson(const CheckedReceipt& checked) {
  const audit::v1::ReleaseRecord& release = checked.release;
  Json json = {{"valid", true},
               {"federation", checked.federation},
               {"provider",
                {{"did", checked.provider.did()},
                 {"label", checked.provider.label()},
                 {"name", checked.provider.name_ja()}}},
               {"consumer", release.consumer()},
               {"battery", ToJson(release.battery())},
               {"time", FormatInstant(checked.time)},
               {"purpose", release.purpose()},
               {"agreement", release.agreement()},
               {"policy_version", release.policy_version()},
               {"obligations", ToJson(release)["obligations"]},
               {"released", ToJson(release)["parts"]},
               {"log", checked.origin},
               {"leaf_index", checked.leaf_index},
               {"cosigned_at", CosignedAt(checked)},
               {"time_stamp", StampJson(checked)}};
  json["content"] = checked.has_content ? ToJson(checked.parts) : Json(nullptr);
  return json;
}

Table ReceiptTable(const CheckedReceipt& checked) {
  const audit::v1::ReleaseRecord& release = checked.release;
  Table table{{"what", "value"}, {}};
  table.rows = {{"who", absl::StrCat(checked.provider.label(), " ", checked.provider.name_ja())},
                {"to whom", release.consumer()},
                {"battery", absl::StrCat(release.battery().manufacturer(), "#", release.battery().serial())},
                {"when", FormatInstant(checked.time)},
                {"for", release.purpose()},
                {"agreement", release.agreement()},
                {"duties", absl::StrJoin(release.obligations(), ", ")},
                {"where", absl::StrCat("leaf ", checked.leaf_index, " of log ", checked.origin)}};
  if (checked.cosigned_at.has_value()) table.rows.push_back({"cosigned at", CosignedAt(checked)});
  if (checked.has_stamp) table.rows.push_back({"stamped at", StampText(checked)});
  for (const ReleasedPart& part : checked.parts) {
    table.rows.push_back({WordOf(part.kind), PartLine(part.kind, part.content)});
  }
  if (!checked.has_content) table.rows.push_back({"content", "not inside: the record names its digest only"});
  return table;
}

// A receipt that does not hold is a finding, not an error of the command: the others are verified all the
// same.
void AddReceipt(const std::string& path, const absl::StatusOr<CheckedReceipt>& checked, Output& output) {
  Json json = checked.ok() ? ReceiptJson(*checked)
                           : Json{{"valid", false}, {"error", std::string(checked.status().message())}};
  json["file"] = path;
  output.json["receipts"].push_back(std::move(json));
  if (checked.ok()) {
    output.Line(absl::StrCat(path, ": valid receipt (提供証明 有効)"));
    output.Add(ReceiptTable(*checked));
  } else {
    output.failed = true;
    output.Line(absl::StrCat(path, ": NOT VALID (無効): ", checked.status().message()));
  }
}

// The bundle when there is one and the root vouches for it; otherwise the root alone.
absl::StatusOr<identity::Bundle> BundleOf(const ReceiptArguments& arguments) {
  ASSIGN_OR_RETURN(const std::string root_pem, ReadFile(arguments.root, kMaxReceipt));
  ASSIGN_OR_RETURN(const auto root, crypto::ParseCertificatePem(root_pem));
  if (arguments.bundle.empty()) return identity::PinnedBundle(root);
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(arguments.bundle, kMaxReceipt));
  identity::v1::SignedTrustBundle signed_bundle;
  RETURN_IF_ERROR(Decode(bytes, "trust bundle", signed_bundle));
  identity::v1::TrustBundle listed;
  RETURN_IF_ERROR(Decode(signed_bundle.bundle(), "trust bundle", listed));
  return identity::OpenVouchedBundle(signed_bundle, identity::PinnedBundle(root), listed.federation(),
                                     absl::Now());
}

absl::StatusOr<Output> VerifyReceipts(const ReceiptArguments& arguments) {
  ASSIGN_OR_RETURN(const identity::Bundle bundle, BundleOf(arguments));
  ASSIGN_OR_RETURN(const auto stamping, LoadStampingRoot(arguments.stamping_root));
  Output output;
  output.json["receipts"] = Json::array();
  for (const std::string& path : arguments.paths) {
    ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxReceipt));
    AddReceipt(path, CheckReceipt(text, bundle, stamping), output);
  }
  return output;
}

// The receipt's text with the first stamp that covers it, from the provider's process.
absl::StatusOr<std::string> WithStamp(Context& context, absl::string_view receipt,
                                      const CheckedReceipt& checked) {
  context.acting.party = checked.provider.label();
  ASSIGN_OR_RETURN(const auto session, context.Open());
  const std::string process = checked.origin.substr(checked.origin.rfind('/') + 1);
  ASSIGN_OR_RETURN(const auto stamp, FetchStamp(*session, process, checked.leaves));
  return absl::StrCat(receipt, audit::ArmorStamp(stamp));
}

// Nothing is written unless the receipt holds with its stamp.
absl::StatusOr<Output> StampReceipts(Context& context, const ReceiptArguments& arguments) {
  const Profile profile(context.profile);
  ASSIGN_OR_RETURN(const auto config, profile.LoadConfig());
  ASSIGN_OR_RETURN(const Credentials credentials, profile.LoadCredentials());
  const identity::Bundle bundle = KeptBundle(profile, config, credentials.root);
  ASSIGN_OR_RETURN(const auto stamping, LoadStampingRoot(arguments.stamping_root));
  Output output;
  output.json["receipts"] = Json::array();
  for (const std::string& path : arguments.paths) {
    ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxReceipt));
    const absl::string_view receipt = audit::SplitReceiptFile(text).receipt;
    auto checked = CheckReceipt(receipt, bundle);
    if (checked.ok()) {
      ASSIGN_OR_RETURN(const std::string stamped, WithStamp(context, receipt, *checked));
      checked = CheckReceipt(stamped, bundle, stamping);
      if (checked.ok()) RETURN_IF_ERROR(WriteFileAtomically(path, stamped, 0600));
    }
    AddReceipt(path, checked, output);
  }
  return output;
}

}  // namespace

void AddReceiptCommands(CLI::App& app, Command& command) {
  CLI::App* receipt = app.add_subcommand("receipt", "receipts (提供証明)")->require_subcommand(1);
  auto arguments = std::make_shared<ReceiptArguments>();
  CLI::App* verify = receipt->add_subcommand("verify", "verify receipts without network");
  verify->add_option("files", arguments->paths, "receipt files")->required();
  verify
      ->add_option("--root", arguments->root,
                   "the federation's root certificate, such as root.crt of a profile")
      ->required();
  verify->add_option(
      "--bundle", arguments->bundle,
      "the trust bundle that this root signed, such as trust-bundle of a profile: for receipts "
      "from before a root was rolled");
  AddStampingRoot(*verify, arguments->stamping_root);
  verify->callback(
      [&command, arguments] { command = [arguments](Context&) { return VerifyReceipts(*arguments); }; });

  CLI::App* stamp = receipt->add_subcommand(
      "stamp", "add the provider's time stamp to receipts, for verifying it offline later");
  stamp->add_option("files", arguments->paths, "receipt files")->required();
  AddStampingRoot(*stamp, arguments->stamping_root);
  stamp->callback([&command, arguments] {
    command = [arguments](Context& context) { return StampReceipts(context, *arguments); };
  });
}

}  // namespace tsunagi::cli

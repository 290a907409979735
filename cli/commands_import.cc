// `tsunagi passport import`.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/command.h"
#include "cli/import.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/crypto/digest.h"
#include "tsunagi/passport/v1/passport_service.grpc.pb.h"

namespace tsunagi::cli {
namespace {

using passport::v1::PassportService;

constexpr size_t kMaxCsv = 256 << 20;

struct Arguments {
  std::string path;
  std::string kind;
  size_t batch_size = kMaxBatchFacts;
  bool check_only = false;
};

Output Report(const Arguments& arguments, const FileFacts& facts, const ImportReport& report) {
  Output output;
  output.json = {{"file", arguments.path},        {"kind", std::string(FileKindName(facts.kind))},
                 {"facts", facts.facts.size()},   {"created", report.created},
                 {"unchanged", report.unchanged}, {"checked_only", arguments.check_only},
                 {"warnings", report.warnings}};
  if (arguments.check_only) output.json["unchanged_rows"] = report.unchanged_rows;
  output.Line(absl::StrCat(arguments.path, ": ", facts.facts.size(), " facts (", FileKindName(facts.kind),
                           "), ", report.created, arguments.check_only ? " to be created, " : " created, ",
                           report.unchanged, " unchanged"));
  for (const std::string& warning : report.warnings) output.Line(absl::StrCat("warning: ", warning));
  return output;
}

absl::StatusOr<FileKind> KindOf(const Arguments& arguments, const CsvFile& file) {
  return arguments.kind.empty() ? GuessKind(file) : ParseFileKind(arguments.kind);
}

absl::StatusOr<Output> RunImport(Context& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(arguments.path, kMaxCsv));
  const auto file = ParseCsv(bytes);
  if (!file.ok()) return Annotate(file.status(), arguments.path);
  const auto kind = KindOf(arguments, *file);
  if (!kind.ok()) return Annotate(kind.status(), arguments.path);
  ASSIGN_OR_RETURN(const auto session, context.Open());
  ASSIGN_OR_RETURN(const std::string own_did, session->PartyDid());
  const auto facts = ReadFacts(*file, *kind, own_did, FinderOf(*session));
  if (!facts.ok()) return Annotate(facts.status(), arguments.path);
  const auto send = [&](const passport::v1::ImportFactsRequest& request) {
    return session->Call<PassportService>(session->ProcessFor("passport"),
                                          &PassportService::Stub::ImportFacts, request);
  };
  const ImportOptions options{crypto::Sha256(bytes), arguments.batch_size, arguments.check_only};
  const auto report = Import(*facts, options, context.random, send, context.progress);
  if (!report.ok()) return BrokenOff(report.status(), arguments.path);
  return Report(arguments, *facts, *report);
}

std::string KindsHelp() {
  std::string help = "Kinds of files and their columns (* required):\n";
  for (const FileKind kind :
       {FileKind::kBatteries, FileKind::kMounts, FileKind::kCondition, FileKind::kHistory}) {
    absl::StrAppend(&help, "  ", FileKindName(kind), ": ",
                    absl::StrJoin(ColumnsOf(kind), ", ",
                                  [](std::string* out, const Column& column) {
                                    absl::StrAppend(out, column.name, column.required ? "*" : "");
                                  }),
                    "\n");
  }
  return help +
         "UTF-8, ended by a line break; consecutive rows of one serial in a condition file are one "
         "measurement with its series.";
}

}  // namespace

void AddImportCommand(CLI::App& passport, Command& command) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* sub =
      passport.add_subcommand("import", "write the facts of a CSV file; run again, it completes the file");
  sub->footer(KindsHelp());
  sub->add_option("file", arguments->path, "CSV file")->required();
  sub->add_option("--kind", arguments->kind, "what the file holds, when its header does not tell")
      ->check(CLI::IsMember({"batteries", "mounts", "condition", "history"}));
  sub->add_option("--batch-size", arguments->batch_size, "facts that are acknowledged at once")
      ->check(CLI::Range(size_t{1}, kMaxBatchFacts));
  sub->add_flag("--check", arguments->check_only, "check the file and write nothing");
  sub->callback(
      [&command, arguments] { command = [arguments](Context& c) { return RunImport(c, *arguments); }; });
}

}  // namespace tsunagi::cli

#include "services/passport/node.h"

#include "core/base/log.h"
#include "services/ops/operations_service.h"

namespace tsunagi::passport {
namespace {

constexpr absl::Duration kPeriod = absl::Seconds(1);

}  // namespace

PassportNode::PassportNode(process::ParticipantProcess& process, const std::string& federation,
                           ErasureList& erasures)
    : context_{process.journal(), process.signing_key(), process.trust(), process.clock(),
               process.random(),  process.did(),         federation,      RecordSecrets(process.node_key())},
      reader_(process.journal().store(), context_.secrets, process.clock()),
      writer_(context_),
      eraser_(context_, erasures),
      dater_(context_),
      registrar_(process),
      courier_(context_, registrar_),
      ticker_(kPeriod, [this] { Work(); }) {}

void PassportNode::Work() {
  absl::StatusOr<std::string> note = context_.journal.store().Get(store::Table::kState, ops::CosignedKey());
  if (note.ok() && *note != dated_note_) {
    const absl::Status dated = dater_.OnCosigned(*note).status();
    if (dated.ok()) {
      dated_note_ = *std::move(note);
    } else {
      log::Warning("batches could not be dated", {{"reason", std::string(dated.message())}});
    }
  }
  const absl::Status carried = courier_.Run().status();
  if (!carried.ok()) log::Info("amendments wait", {{"reason", std::string(carried.message())}});
}

}  // namespace tsunagi::passport

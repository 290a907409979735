// The passport records of one process: their parts, put together.
#pragma once

#include <string>

#include "passport/records/amendments.h"
#include "passport/records/context.h"
#include "passport/records/dater.h"
#include "passport/records/eraser.h"
#include "passport/records/reader.h"
#include "passport/records/writer.h"
#include "services/passport/registrar_client.h"
#include "services/process/participant_process.h"
#include "services/process/ticker.h"

namespace tsunagi::passport {

// Order of members is order of use. Lives until every call has finished.
class PassportNode {
 public:
  // `process` and `erasures` must outlive the node.
  PassportNode(process::ParticipantProcess& process, const std::string& federation, ErasureList& erasures);

  const RecordContext& context() const { return context_; }
  RecordReader& reader() { return reader_; }
  RecordWriter& writer() { return writer_; }
  RecordEraser& eraser() { return eraser_; }

 private:
  // Dates what the registrar has cosigned, and carries amendments.
  void Work();

  const RecordContext context_;
  RecordReader reader_;
  RecordWriter writer_;
  RecordEraser eraser_;
  Dater dater_;
  RegistrarClient registrar_;
  AmendmentCourier courier_;
  std::string dated_note_;  // only on the ticker's thread
  process::Ticker ticker_;
};

}  // namespace tsunagi::passport

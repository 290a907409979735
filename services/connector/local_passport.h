// The passport records in this process.
#pragma once

#include <utility>

#include "connector/ports.h"
#include "passport/records/reader.h"

namespace tsunagi::connector {

// Thread-safe. Answers before ReadParts returns.
class LocalPassport final : public PassportSource {
 public:
  // `reader` must outlive this object.
  explicit LocalPassport(const passport::RecordReader& reader) : reader_(reader) {}

  void ReadParts(const grant::Grant& grant, absl::Span<const common::v1::Subject> subjects,
                 Done done) override {
    done(reader_.ReadParts(grant, subjects));
  }

 private:
  const passport::RecordReader& reader_;
};

}  // namespace tsunagi::connector

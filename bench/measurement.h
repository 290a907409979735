// A program of several measurements, one a run: its subcommand says which.
#pragma once

#include <algorithm>
#include <iostream>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"

namespace tsunagi::bench {

// `measurements` is a list of pairs of a name and a function of the arguments that gives a line of JSON.
template <class Measurements>
void AddMeasurements(CLI::App& app, const Measurements& measurements) {
  app.require_subcommand(1);
  app.fallthrough();
  for (const auto& [name, run] : measurements) app.add_subcommand(name, "see bench/README.md");
}

// Runs the one that was named, and writes its result to standard output. The exit code.
template <class Measurements, class Arguments>
int RunMeasurement(const CLI::App& app, const Measurements& measurements, Arguments& arguments) {
  const auto chosen = std::find_if(measurements.begin(), measurements.end(), [&app](const auto& measurement) {
    return app.got_subcommand(measurement.first);
  });
  const absl::StatusOr<std::string> result = chosen->second(arguments);
  if (!result.ok()) {
    std::cerr << chosen->first << ": " << result.status().message() << "\n";
    return 1;
  }
  std::cout << *result << "\n";
  return 0;
}

}  // namespace tsunagi::bench

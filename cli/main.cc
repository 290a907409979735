#include <iostream>
#include <string>
#include <vector>

#include "cli/app.h"
#include "core/base/log.h"
#include "core/crypto/library.h"

int main(int argc, char** argv) {
  tsunagi::crypto::KeepLibraryUntilExit();
  tsunagi::log::Start("tsunagi", "error");
  return tsunagi::cli::Run(std::vector<std::string>(argv + 1, argv + argc), std::cout, std::cerr);
}

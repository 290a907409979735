// main() of every test program.
#include "core/crypto/library.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

int main(int argc, char** argv) {
  tsunagi::crypto::KeepLibraryUntilExit();
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}

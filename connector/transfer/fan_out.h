// Runs a job many times on a few threads.
#pragma once

#include <cstddef>
#include <functional>

namespace tsunagi::connector {

// Calls job(0) … job(count - 1), each once, on the calling thread and at most `threads` - 1 others; returns
// when all are done. The job may block and must not throw.
void FanOut(size_t count, int threads, const std::function<void(size_t)>& job);

}  // namespace tsunagi::connector

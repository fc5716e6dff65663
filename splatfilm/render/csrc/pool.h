// Our own threads: no OpenMP, whose runtimes clash when torch brings another one.
#pragma once
#include <cstdint>
#include <functional>

namespace splatfilm {

// How many threads `parallel` uses, the caller included; at least 1.
int threads();
void set_threads(int count);

// Runs body(0) .. body(count - 1), each once, in any order on any thread, and returns when all are done. Bodies must not
// throw. Which thread runs which task never shows in a result: tasks write only what is theirs. Calls from several
// threads wait for one another.
void parallel(int64_t count, const std::function<void(int64_t)>& body);

}  // namespace splatfilm

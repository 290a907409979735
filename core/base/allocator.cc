// How jemalloc, with which every program is linked (docs/adr/0008-jemalloc.md), keeps an idle node small: few
// arenas, and what is free goes back to the kernel within a second, also while nobody allocates.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "narenas:2,background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0";
}

// A journal: an SQLite database, maybe damaged, of another program or of a newer version.
#include "fuzz_target.h"
#include "store/store.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const hot::InputFolder folder;
  for (const char* side_file : {"j.sqlite-wal", "j.sqlite-shm", "j.sqlite-journal"}) {
    hot::fs::remove(folder.path() / side_file);
  }
  const hot::fs::path file = folder.Write("j.sqlite", hot::AsText(data, size));
  hot::MayThrowError([&] {
    const auto store = hot::OpenStore(file);
    static_cast<void>(store->Measurements("board"));
    static_cast<void>(store->Records("study"));
    static_cast<void>(store->FindRecord("trial", "key"));
    store->AddRecord({.kind = "trial", .key = "key", .study = "study", .body = "{}", .created = 1});
  });
  return 0;
}

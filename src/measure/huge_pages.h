// Memory in huge pages: which of the caches' sets a network's tensors fall into then depends on the network, not on
// which 4 KiB pages the kernel had left (page colouring; docs/adr/0014). Called once everything that will be measured
// is loaded.
#pragma once

namespace hot {

// Moves this process's anonymous memory of 2 MiB and more into huge pages (Linux 6.1 and later; elsewhere, and where
// the kernel has none left, nothing happens).
void UseHugePages();

}  // namespace hot

// Writing a file so that it appears whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace imago::data {

// Writes `bytes` under a temporary name beside `path`, syncs and renames, replacing what was there.
// A path that exists and is no regular file (a pipe, /dev/stdout) is written to directly; a
// symbolic link is followed. On any failure the temporary file is removed and Error
// "[op] path: cannot write ..." names the reason; what was at `path` before is untouched.
void write_file(const char* op, const std::filesystem::path& path,
                std::span<const std::byte> bytes);

}  // namespace imago::data

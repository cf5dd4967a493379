// SPDX-License-Identifier: BSL-1.0
// What every command prints with --json is what its schema in docs/schema says, whatever there is to be looked at.
// tests/tools/check_json.py runs them all; here is what it finds.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "runtime/session_table.hpp"
#include "support/leftovers.hpp"
#include "support/session.hpp"
#include "tools/run_command.hpp"
#include "weir/weir.hpp"

namespace weir::tests {
namespace {

void expect_json_as_in_the_schemas() {
  const command_result result = run_program({"/usr/bin/python3", WEIR_CHECK_JSON, WEIR_COMMAND, WEIR_SCHEMAS});
  EXPECT_EQ(result.status, 0) << result.out << result.err;
}

void leave_bytes(const std::string& name, const std::string& bytes) { std::ofstream(path_of(name)) << bytes; }

/// A copy of the segment `from`, changed by `change`.
void leave_changed(const std::string& from, const std::string& to, const std::function<void(std::fstream&)>& change) {
  std::filesystem::copy_file(path_of(from), path_of(to));
  std::fstream file(path_of(to), std::ios::in | std::ios::out | std::ios::binary);
  change(file);
}

TEST(JsonSchema, HoldsWithNothingInMemory) { in_own_memory(expect_json_as_in_the_schemas); }

TEST(JsonSchema, HoldsForChannels) {
  in_own_memory([] {
    auto numbers = channel<int>::create("numbers", 3);
    numbers.put(1);
    numbers.put(2);
    auto vectors = channel<std::vector<double>>::create("vectors", 4);
    vectors.put(std::vector<double>(1000, 1.5));
    vectors.put(std::vector<double>{1.0});
    const auto read_in_place = vectors.take_view();
    auto of_anything = channel<any>::create("anything", 4);
    of_anything.put("text");
    of_anything.put(5);
    auto closed = channel<std::string>::create("closed \"1\" \xff", 1);
    closed.put("last");
    closed.close("no more\xff to come");
    const channel<int> unnamed(1);
    auto empty = channel<int>::create("empty", 0);
    std::jthread waits([&] { EXPECT_THROW((void)empty.take(), channel_closed); });
    std::jthread waits_not_for_ever([&] { EXPECT_THROW((void)empty.take_for(std::chrono::hours(1)), channel_closed); });
    killed_after([] {
      auto left = channel<int>::create("left", 2);
      left.put(1);
      ::raise(SIGKILL);
    });
    expect_json_as_in_the_schemas();
    empty.close();
  });
}

TEST(JsonSchema, HoldsForArrays) {
  in_own_memory([] {
    auto a = array<float, 2>::create("a", {30, 40});
    a.fill(1.5F);
    const auto lock = a.lock();
    const auto b = array<std::int64_t>::create("b", {5}, {.order = order::column_major});
    const auto shared = b.lock_shared();
    const auto c = array<std::byte, 3>::create("c", {2, 1, 2});
    const auto file = std::filesystem::temp_directory_path() / ("weir-schema-test-" + std::to_string(::getpid()));
    const auto d = array<double>::map_file(file, {10});
    killed_after([] {
      const auto e = array<int>::create("e", {5});
      e.mutex().lock();
      ::raise(SIGKILL);
    });
    expect_json_as_in_the_schemas();
    std::filesystem::remove(file);
  });
}

TEST(JsonSchema, HoldsForASessionAtWork) {
  in_own_memory([] {
    session s;
    const auto workers = s.add_workers(3);
    s.remove_workers(workers[2]);
    auto go_on = channel<int>::create("go on", 2);
    auto running = workers[0].call([](const channel<int>& from) { return channel<int>(from).take(); }, go_on);
    std::jthread team([&] {
      s.spmd(
          [](weir::team& t, const channel<int>& from) {
            if (t.rank() == 0) (void)channel<int>(from).take();
            t.barrier();
          },
          go_on);
    });
    EXPECT_TRUE(comes_true([] { return run_weir({"ls", "--kind", "team"}).status == 0; }));
    expect_json_as_in_the_schemas();
    go_on.put(1);
    go_on.put(2);
    (void)running.get();
  });
}

TEST(JsonSchema, HoldsForASessionWhoseProcessesWereKilled) {
  in_own_memory([] {
    killed_after([] {
      runtime::session_table table = runtime::session_table::create();
      table.set_running(table.add_process(1));
      table.set_gone(table.add_process(1), runtime::exit_kind::exited, 3);
      table.set_gone(table.add_process(1), runtime::exit_kind::signalled, SIGSEGV);
      const channel<int> unnamed(2);
      const array<int> other({2});
      ::raise(SIGKILL);
    });
    expect_json_as_in_the_schemas();
  });
}

TEST(JsonSchema, HoldsForWhatIsDamaged) {
  in_own_memory([] {
    auto sound = channel<int>::create("sound", 3);
    sound.put(1);
    const auto grid = array<double, 2>::create("grid", {3, 3});
    leave_bytes("short", "hello");
    leave_bytes("nothing", "");
    leave_bytes("zeroed", std::string(8192, '\0'));
    leave_bytes("noise\n\xff", std::string(20000, '\x5a'));
    ASSERT_EQ(::mkfifo(path_of("pipe").c_str(), 0600), 0);
    std::filesystem::create_directory(path_of("folder"));
    // Their headers name another segment, or are of another layout; what the last two hold contradicts itself.
    leave_changed("sound", "copy", [](std::fstream&) {});
    leave_changed("sound", "old", [](std::fstream& file) { file.seekp(8).write("\x01\0\0\0", 4); });
    for (const char* name : {"sound", "grid"}) {
      std::fstream file(path_of(name), std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(4096).write(std::string(4096, '\xa5').data(), 4096);
    }
    expect_json_as_in_the_schemas();
  });
}

TEST(JsonSchema, CheckFailsForACommandThatHasNone) {
  in_own_memory([] {
    const auto schemas = std::filesystem::temp_directory_path() / ("weir-schemas-" + std::to_string(::getpid()));
    std::filesystem::copy(WEIR_SCHEMAS, schemas);
    std::filesystem::remove(schemas / "show.schema.json");
    const command_result result = run_program({"/usr/bin/python3", WEIR_CHECK_JSON, WEIR_COMMAND, schemas});
    std::filesystem::remove_all(schemas);
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.out, testing::HasSubstr("weir show has --json and no schema"));
  });
}

}  // namespace
}  // namespace weir::tests

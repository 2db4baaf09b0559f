#include "bench/flags.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <regex>

#include "bench/provenance.h"
#include "tensor/error.h"

namespace imago::bench {

std::optional<int> parse(CLI::App& app, int argc, char** argv) {
  app.allow_extras();
  app.footer("Flags of Google Benchmark, --benchmark_..., pass through.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& done) {
    return app.exit(done);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), error.what());
    return 2;
  }
  static std::vector<std::string> rest;  // Google Benchmark keeps pointers into it
  rest = app.remaining();
  rest.insert(rest.begin(), app.get_name());
  std::vector<char*> pointers;
  for (std::string& argument : rest) pointers.push_back(argument.data());
  int count = static_cast<int>(pointers.size());
  pointers.push_back(nullptr);
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 2;
  return std::nullopt;
}

void add_provenance(Device device) {
  for (const auto& [name, value] : provenance(device)) benchmark::AddCustomContext(name, value);
}

bool selected(const std::string& row) {
  std::string filter = benchmark::GetBenchmarkFilter();
  if (filter.empty() || filter == "all") return true;
  const bool exclude = filter[0] == '-';
  if (exclude) filter.erase(0, 1);
  return std::regex_search(row, std::regex(filter, std::regex::extended)) != exclude;
}

void add_device(CLI::App& app, Device& device) {
  app.add_option_function<std::string>(
         "--device",
         [&device](const std::string& name) {
           try {
             device = Device::parse(name);
           } catch (const Error& error) {
             throw CLI::ValidationError("--device " + name, error.what());
           }
         },
         "cpu (default), cuda, or auto: a GPU where there is one")
      ->type_name("");
}

namespace {

// Takes one of the names, and says which there are when it gets another.
template <class T>
CLI::Validator names_of(const std::map<std::string, T>& names) {
  return CLI::Validator(
      [names](std::string& text) -> std::string {
        std::string known;
        for (const auto& [name, value] : names) {
          if (name == text) {
            text = std::to_string(static_cast<int>(value));
            return "";
          }
          known += (known.empty() ? "" : ", ") + name;
        }
        return "'" + text + "' is none of " + known;
      },
      "");
}

}  // namespace

void add_dtype(CLI::App& app, DType& dtype, const std::vector<DType>& allowed) {
  std::map<std::string, DType> names;
  for (const DType each : allowed) names[name_of(each)] = each;
  app.add_option("--dtype", dtype, "f32 by default")->transform(names_of(names));
}

void add_engines(CLI::App& app, std::vector<Engine>& engines) {
  std::map<std::string, Engine> names;
  for (int e = 0; e <= static_cast<int>(Engine::cudnn); ++e) {
    names[name_of(static_cast<Engine>(e))] = static_cast<Engine>(e);
  }
  app.add_option("--engine", engines, "auto by default; may be given several times")
      ->transform(names_of(names));
}

void add_gpu_rounds(CLI::App& app, GpuRounds& gpu) {
  app.add_option("--rounds", gpu.rounds, "replays of a graph of 20 launches (GPU)")
      ->check(CLI::Range(30, 100000))
      ->capture_default_str();
  app.add_flag("--hot", gpu.hot, "one set of operands, from the cache where it fits (GPU)");
}

}  // namespace imago::bench

#include "apps/support/recognition_tables.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace imago::apps {
namespace {

constexpr std::size_t most_listed = 20;  // classes with a line of their own

// A table of texts: columns as wide as their widest cell, in bytes (cells are ASCII but for names,
// which come last).
void print_columns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      line += "  " + row[c];
      if (c + 1 < row.size()) line += std::string(widths[c] - row[c].size(), ' ');
    }
    std::printf("%s\n", line.c_str());
  }
}

std::string number(double value, const char* format = "%.4f") {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string rate_or_too_few(bool supported, const models::Interval& rate, bool resampled) {
  return supported ? figure(rate, resampled) : "too few pairs";
}

}  // namespace

std::string figure(const models::Interval& i, bool resampled) {
  if (!resampled) return number(i.value);
  return number(i.value) + " [" + number(i.low) + ", " + number(i.high) + "]";
}

void print_table(const std::vector<VerificationRow>& rows, bool resampled) {
  const bool folds = rows.front().result.folds.has_value();
  std::vector<std::vector<std::string>> table = {{"AUC", "EER", "best accuracy"}};
  if (folds) table[0].push_back("accuracy of folds");
  table[0].push_back("");
  for (const VerificationRow& row : rows) {
    const models::Verification& r = row.result;
    table.push_back(
        {figure(r.auc, resampled), figure(r.eer, resampled), figure(r.accuracy, resampled)});
    if (folds) table.back().push_back(figure(r.folds->mean, resampled));
    table.back().push_back(row.name);
  }
  print_columns(table);
  std::vector<std::vector<std::string>> rates(1);
  for (const models::TarAtFar& t : rows.front().result.tar_at_far) {
    rates[0].push_back("TAR at FAR " + number(t.far, "%g"));
  }
  rates[0].push_back("");
  for (const VerificationRow& row : rows) {
    rates.emplace_back();
    for (const models::TarAtFar& t : row.result.tar_at_far) {
      rates.back().push_back(rate_or_too_few(t.supported, t.tar, resampled));
    }
    rates.back().push_back(row.name);
  }
  print_columns(rates);
}

void print_table(const std::vector<IdentificationRow>& rows, bool resampled) {
  const std::size_t draws = rows.front().result.rank1.size();
  std::vector<std::vector<std::string>> table = {{"rank-1", "rank-5"}};
  for (const models::OpenSetRate& o : rows.front().result.first.open_set) {
    table[0].push_back("DIR at FPIR " + number(o.fpir, "%g"));
  }
  table[0].push_back("");
  for (const IdentificationRow& row : rows) {
    const models::Identification& r = row.result.first;
    table.push_back({figure(r.rank1, resampled), figure(r.rank5, resampled)});
    for (const models::OpenSetRate& o : r.open_set) {
      table.back().push_back(o.supported ? figure(o.dir, resampled) : "too few strangers");
    }
    table.back().push_back(row.name);
  }
  if (draws > 1) std::printf("Of the first draw of the gallery:\n");
  print_columns(table);
  if (draws < 2) return;
  std::printf("Mean of %zu draws, and their standard deviation:\n", draws);
  std::vector<std::vector<std::string>> means = {{"rank-1", "rank-5", ""}};
  const auto spread = [](const std::vector<double>& v) {
    return number(mean(v)) + " +- " + number(deviation(v));
  };
  for (const IdentificationRow& row : rows) {
    means.push_back({spread(row.result.rank1), spread(row.result.rank5), row.name});
  }
  print_columns(means);
}

void print_table(const std::string& name, const Classified& classified, bool resampled) {
  const models::Confusion& c = classified.confusion;
  print_columns({{"accuracy", "balanced accuracy", ""},
                 {figure(c.accuracy, resampled), figure(c.balanced_accuracy, resampled), name}});
  std::vector<std::vector<std::string>> table = {{"images", "recall", "precision", "F1", "class"}};
  for (std::size_t k = 0; k < c.classes.size() && k < most_listed; ++k) {
    std::int64_t images = 0;
    for (const std::int64_t n : c.counts[k]) images += n;
    const auto share = [](double v) { return std::isnan(v) ? std::string("none") : number(v); };
    const bool seen = !std::isnan(c.recall[k].value);
    table.push_back({std::to_string(images), seen ? figure(c.recall[k], resampled) : "none",
                     share(c.precision[k]), share(c.f1[k]), c.classes[k]});
  }
  print_columns(table);
  if (c.classes.size() > most_listed) {
    std::printf("  and %zu more classes, which --json has\n", c.classes.size() - most_listed);
  }
}

Json to_json(const models::Interval& i) {
  return {
      {"value", json_number(i.value)}, {"low", json_number(i.low)}, {"high", json_number(i.high)}};
}

Json to_json(const models::Verification& r) {
  Json json = {{"genuine_pairs", r.genuine},
               {"impostor_pairs", r.impostor},
               {"auc", to_json(r.auc)},
               {"eer", to_json(r.eer)},
               {"best_accuracy", to_json(r.accuracy)},
               {"best_threshold", json_number(r.accuracy_threshold)},
               {"tar_at_far", Json::array()}};
  for (const models::TarAtFar& t : r.tar_at_far) {
    json["tar_at_far"].push_back({{"far", t.far},
                                  {"tar", t.supported ? to_json(t.tar) : Json()},
                                  {"threshold", t.supported ? json_number(t.threshold) : Json()}});
  }
  json["folds"] = nullptr;
  if (r.folds) {
    json["folds"] = {{"mean", to_json(r.folds->mean)},
                     {"standard_error", json_number(r.folds->standard_error)},
                     {"accuracies", r.folds->folds},
                     {"thresholds", r.folds->thresholds}};
  }
  return json;
}

Json to_json(const Identified& result) {
  const models::Identification& r = result.first;
  Json json = {{"gallery", r.gallery},
               {"people", r.people},
               {"probes", r.probes},
               {"strangers", r.strangers},
               {"rank1", to_json(r.rank1)},
               {"rank5", to_json(r.rank5)},
               {"cmc", r.cmc},
               {"open_set", Json::array()}};
  for (const models::OpenSetRate& o : r.open_set) {
    json["open_set"].push_back({{"fpir", o.fpir},
                                {"dir", o.supported ? to_json(o.dir) : Json()},
                                {"threshold", o.supported ? json_number(o.threshold) : Json()}});
  }
  const auto spread = [](const std::vector<double>& v) {
    return Json{{"mean", mean(v)}, {"standard_deviation", deviation(v)}, {"each", v}};
  };
  json["draws"] = {{"rank1", spread(result.rank1)}, {"rank5", spread(result.rank5)}};
  return json;
}

Json to_json(const Classified& classified) {
  const models::Confusion& c = classified.confusion;
  Json json = {{"images", c.total()},
               {"images_of_unknown_classes", classified.unknown},
               {"accuracy", to_json(c.accuracy)},
               {"balanced_accuracy", to_json(c.balanced_accuracy)},
               {"classes", c.classes},
               {"confusion", c.counts}};
  const auto shares = [](const std::vector<double>& values) {
    Json list = Json::array();
    for (const double v : values) list.push_back(json_number(v));
    return list;
  };
  json["recall"] = Json::array();
  for (const models::Interval& recall : c.recall) json["recall"].push_back(to_json(recall));
  json["precision"] = shares(c.precision);
  json["f1"] = shares(c.f1);
  return json;
}

}  // namespace imago::apps

#include "apps/support/recognition_report.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "apps/support/recognition_data.h"
#include "apps/support/recognition_plots.h"
#include "apps/support/recognition_tables.h"
#include "apps/support/recognition_tasks.h"
#include "apps/support/run_folder.h"
#include "apps/support/seen_faces.h"
#include "models/checkpoint_entries.h"

namespace imago::apps {
namespace {

constexpr int usual_size = 64;  // at which images are read for methods alone

struct Encoder {
  std::string method;                            // "recogniser", or one of --method
  std::string label;                             // for tables
  std::unique_ptr<models::FaceEncoder> encoder;  // null: to be fitted to each gallery
};

class Report {
 public:
  Report(const Flags& flags, const RecognitionFlags& f) : f_(f) {
    if (!f.recogniser.empty()) recogniser_ = open_recogniser(f.recogniser);
    task_ = task();
    if (!f.weights.empty() && task_ != "verification") {
      throw UsageError("--write-weights is for --task verification, which finds the threshold");
    }
    if (!f.weights.empty() && !recogniser_->of_people()) {
      throw UsageError("--write-weights leaves the head out, which says what " + f.recogniser +
                       " tells apart");
    }
    size_ = recogniser_ ? recogniser_->options.cnn.image : usual_size;
    faces_ = open_measured_faces(flags, f, recogniser_ ? &*recogniser_ : nullptr, task_, size_);
    worsening_ = {f.darkness, f.glare, f.seed};
    bootstrap_ = {.resamples = f.resamples, .seed = f.seed};
  }

  void run() {
    print_head();
    make_encoders();
    if (task_ == "verification") verification();
    if (task_ == "identification") identification();
    if (task_ == "classification") classification();
    for (const std::string& note : notes_) std::printf("note: %s\n", note.c_str());
    json_["rows"] = rows_;
    json_["notes"] = notes_;
    if (f_.json.empty()) return;
    write_text(f_.json, json_.dump(2) + "\n");
    std::printf("Wrote %s\n", f_.json.c_str());
  }

 private:
  std::string task() const {
    if (!f_.task.empty()) return f_.task;
    const bool of_classes = recogniser_ && !recogniser_->of_people() && f_.pairs.empty();
    if (of_classes && !f_.methods.empty()) {
      throw UsageError("--recogniser " + f_.recogniser +
                       " tells classes apart and --method compares people: choose a --task for "
                       "both");
    }
    return of_classes ? "classification" : "verification";
  }

  bool fits_gallery(const std::string& method) const {
    return task_ == "identification" && faces_.part == "all" && f_.fit.empty() && needs_fit(method);
  }
  bool resampled() const { return f_.resamples > 0; }

  void print_head() {
    std::set<std::int64_t> people;
    for (const std::int64_t i : faces_.images) people.insert(faces_.person(i));
    std::printf("%s of %zu images of %zu %s at %dx%d: %s of %s\n", task_.c_str(),
                faces_.images.size(), people.size(),
                task_ == "classification" ? "classes" : "people", size_, size_,
                faces_.part == "pairs" ? f_.pairs.c_str() : faces_.part.c_str(),
                faces_.catalogue.images->describe().c_str());
    if (recogniser_) {
      std::printf("%s\n", kinship_of(faces_, *recogniser_).c_str());
    }
    if (f_.darkness) std::printf("Every image is %g stops darker.\n", *f_.darkness);
    if (f_.glare) std::printf("Every image has a glare of strength %g.\n", *f_.glare);
    notes_ = faces_.notes;
    const std::string warning = recogniser_ ? warning_of(faces_, *recogniser_, task_) : "";
    if (!warning.empty()) std::printf("warning: %s\n", warning.c_str());
    json_ = {{"format", "imago-recognition-1"},
             {"task", task_},
             {"data", f_.faces.data},
             {"part", faces_.part},
             {"recognisers_own_data", faces_.same_data},
             {"images", faces_.images.size()},
             {"people", people.size()},
             {"size", size_},
             {"darkness", f_.darkness ? Json(*f_.darkness) : Json()},
             {"glare", f_.glare ? Json(*f_.glare) : Json()},
             {"resamples", f_.resamples},
             {"seed", f_.seed},
             {"warning", warning.empty() ? Json() : Json(warning)}};
  }

  void make_encoders() {
    if (recogniser_) {
      auto encoder = std::make_unique<models::RecogniserEncoder>(
          models::load_recogniser(recogniser_->file), f_.mirror);
      const std::string label = encoder->label();
      encoders_.push_back({"recogniser", label, std::move(encoder)});
    }
    Tensor fitted;
    for (const std::string& method : method_list(f_.methods)) {
      if (fits_gallery(method)) {
        encoders_.push_back({method, "", nullptr});
        continue;
      }
      if (needs_fit(method) && !fitted) {
        fitted = images_to_fit(f_, faces_, size_, nullptr, notes_);
      }
      auto encoder = make_method(method, fitted);
      const std::string label = encoder->label();
      encoders_.push_back({method, label, std::move(encoder)});
    }
  }

  Embedded embedded(models::FaceEncoder& encoder) const {
    return told(encoder.label(), embed(encoder, faces_.catalogue, faces_.images, worsening_));
  }
  static Embedded told(const std::string& name, Embedded e) {
    std::printf("%s: %lld images in %.2f s (%.0f a second), of which %.2f s went to reading them\n",
                name.c_str(), static_cast<long long>(e.rows.size(0)), e.seconds,
                e.images_per_second(), e.loading_seconds);
    std::fflush(stdout);
    return e;
  }

  void add_row(const Encoder& e, Json figures) {
    Json row = {{"method", e.method}, {"label", e.label}};
    if (e.method == "recogniser") {
      row["checkpoint"] = f_.recogniser;
      row["mirror"] = f_.mirror;
    }
    row.update(figures);
    rows_.push_back(row);
  }

  void verification() {
    std::vector<VerificationRow> table;
    std::vector<RocCurve> curves;
    for (const Encoder& e : encoders_) {
      const Tensor rows = embedded(*e.encoder).rows;
      const models::Verification v =
          models::verify(scored_pairs(*e.encoder, faces_, rows), bootstrap_);
      table.push_back({e.label, v});
      curves.push_back({e.method == "recogniser" ? e.label : e.method, v.roc});
      add_row(e, to_json(v));
      if (e.method == "recogniser" && !f_.weights.empty()) write_weights(*e.encoder, v);
    }
    const models::Verification& v = table.front().result;
    std::printf("%lld pairs of one person, %lld of two%s\n", static_cast<long long>(v.genuine),
                static_cast<long long>(v.impostor), in_brackets().c_str());
    print_table(table, resampled());
    write_plot("roc.svg", [&] { return roc_svg(curves); });
  }

  // The embedding network alone, with what it takes to use it and to tell later what it has seen.
  void write_weights(models::FaceEncoder& encoder, const models::Verification& v) const {
    const models::Recogniser& network = dynamic_cast<models::RecogniserEncoder&>(encoder).network();
    Metadata about = {
        {"threshold", models::shortest(v.accuracy_threshold)},
        {"threshold_from", std::to_string(v.genuine) + " pairs of one person and " +
                               std::to_string(v.impostor) + " of two, " + faces_.part + " of " +
                               faces_.catalogue.images->describe()},
        {"auc", models::shortest(v.auc.value)}};
    for (const char* key : {"step", "catalogue", "catalogue_fingerprint", init_catalogues_key}) {
      const auto found = recogniser_->file.metadata.find(key);
      if (found != recogniser_->file.metadata.end()) about.insert(*found);
    }
    models::save_recogniser(f_.weights, models::without_head(network), about);
    std::printf("Wrote %s\n", f_.weights.c_str());
  }

  void identification() {
    std::vector<IdentificationRow> table;
    std::vector<CmcCurve> curves;
    std::optional<GalleryDraw> first;
    for (Encoder& e : encoders_) {
      const bool fit_each = !e.encoder;
      Tensor rows;
      Identified found;
      for (int draw = 0; draw < f_.splits; ++draw) {
        const GalleryDraw drawn =
            draw_gallery(faces_, f_.gallery_per_person, f_.strangers, f_.seed, draw);
        if (!first) first = drawn;
        if (fit_each) {
          fit_to_gallery(e, drawn, draw);
          rows = draw == 0 ? embedded(*e.encoder).rows
                           : embed(*e.encoder, faces_.catalogue, faces_.images, worsening_).rows;
        } else if (draw == 0) {
          rows = embedded(*e.encoder).rows;
        }
        add_draw(found, *e.encoder, faces_, drawn, rows, bootstrap_);
      }
      std::printf("%s: %lld probes against a gallery of %lld in %.3f s\n", e.label.c_str(),
                  static_cast<long long>(first->probes.size()),
                  static_cast<long long>(first->gallery.size()), found.search_seconds);
      table.push_back({e.label, found});
      curves.push_back({e.method == "recogniser" ? e.label : e.method, found.first.cmc});
      add_row(e, to_json(found));
    }
    std::printf("gallery: %lld images of %lld people (%d of each at most); %lld probes",
                static_cast<long long>(first->gallery.size()),
                static_cast<long long>(table.front().result.first.people), f_.gallery_per_person,
                static_cast<long long>(first->probes.size()));
    if (first->strangers > 0) {
      std::printf(", also of %lld people who are not in it",
                  static_cast<long long>(first->strangers));
    }
    std::printf("%s\n", in_brackets().c_str());
    if (first->without_probes > 0) {
      notes_.push_back(std::to_string(first->without_probes) +
                       " people in the gallery have no other image to be found by");
    }
    print_table(table, resampled());
    write_plot("cmc.svg", [&] { return cmc_svg(curves); });
  }

  void fit_to_gallery(Encoder& e, const GalleryDraw& drawn, int draw) {
    std::vector<std::int64_t> gallery;
    for (const std::int64_t place : drawn.gallery) {
      gallery.push_back(faces_.images[static_cast<std::size_t>(place)]);
    }
    std::vector<std::string> said;
    e.encoder = make_method(e.method, images_to_fit(f_, faces_, size_, &gallery, said));
    if (draw > 0) return;
    e.label = e.encoder->label();
    for (const std::string& line : said) {
      if (std::find(notes_.begin(), notes_.end(), line) == notes_.end()) notes_.push_back(line);
    }
  }

  void classification() {
    const Encoder& e = encoders_.front();
    auto& encoder = dynamic_cast<models::RecogniserEncoder&>(*e.encoder);
    const Classified c = classify(encoder, faces_, worsening_, bootstrap_);
    told(e.label, c.timing);
    if (c.unknown > 0) {
      notes_.push_back(std::to_string(c.unknown) +
                       " images are of classes that the recogniser does not know and were left "
                       "out");
    }
    add_row(e, to_json(c));
    if (resampled()) std::printf("95%% intervals from %d resamples of images\n", f_.resamples);
    print_table(e.label, c, resampled());
    if (c.confusion.classes.size() > most_confusion_classes && !f_.plots.empty()) {
      notes_.push_back("no confusion.svg: " + std::to_string(c.confusion.classes.size()) +
                       " classes are more than a picture can show; --json has them");
      return;
    }
    write_plot("confusion.svg", [&] { return confusion_svg(c.confusion); });
  }

  std::string in_brackets() const {
    if (!resampled()) return "";
    return "; 95% intervals from " + std::to_string(f_.resamples) + " resamples of people";
  }

  template <class Draw>
  void write_plot(const std::string& name, Draw&& draw) const {
    if (f_.plots.empty()) return;
    const std::filesystem::path file = std::filesystem::path(f_.plots) / name;
    std::error_code error;
    std::filesystem::create_directories(f_.plots, error);  // writing says what is wrong
    write_text(file.string(), draw());
    std::printf("Wrote %s\n", file.string().c_str());
  }

  const RecognitionFlags& f_;
  std::optional<TrainedRecogniser> recogniser_;
  std::string task_;
  int size_ = usual_size;
  MeasuredFaces faces_;
  Worsening worsening_;
  models::BootstrapOptions bootstrap_;
  std::vector<Encoder> encoders_;
  std::vector<std::string> notes_;
  Json json_, rows_ = Json::array();
};

}  // namespace

void report_recognition(const Flags& flags, const RecognitionFlags& f) {
  Report(flags, f).run();
}

}  // namespace imago::apps

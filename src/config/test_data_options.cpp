// Options of test data that are taken from train, or are of another data set.
#include "config/option_rows.h"

namespace hot {

void AddTestData(std::vector<Option>& out) {
  out.push_back({.name = "data.test_fraction",
                 .field = HOT_FIELD(data.test_fraction),
                 .help =
                     "Share of `data.train` that becomes the test split when `data.test` is empty: the same pictures "
                     "for every `run.seed`.",
                 .fallback = "",
                 .range = Between(0.01, 0.5)});
  out.push_back({.name = "data.test_root",
                 .field = HOT_FIELD(data.test_root),
                 .help = "Folder of the data set of `data.test`, where it is another one. Then scores are of the "
                         "classes that both have: objects of all others are left out.",
                 .fallback = "`data.root`"});
  out.push_back({.name = "data.test_format",
                 .field = HOT_FIELD(data.test_format),
                 .help = "Its format.",
                 .fallback = "`data.format`",
                 .allowed = {"voc", "coco", "folders"}});
  out.push_back({.name = "data.same_classes",
                 .field = HOT_FIELD(data.same_classes),
                 .help = "Classes whose names differ between the two data sets, such as aeroplane/airplane.",
                 .fallback = "VOC's and COCO's",
                 .min_count = 0,
                 .max_count = 1000});
}

}  // namespace hot

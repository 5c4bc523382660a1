// Options of test data that are of another data set than those that are trained on.
#include "config/option_rows.h"

namespace hot {

void AddTestData(std::vector<Option>& out) {
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

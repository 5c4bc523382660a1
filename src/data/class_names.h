// Classes by name, also where one class has two names in two data sets. Used by the readers, and by pipeline/ for the
// study's pairs. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"

namespace hot {

// "NAME/NAME" each. Throws Error(kInvalidArgument) at `where` for another form.
std::vector<ClassNames> ParseClassNames(const std::vector<std::string>& texts, const std::string& where);

// Index in `classes` of what a file calls `name`, by that name or, where `shared`, by the other one; -1: none.
int FindClass(std::string_view name, const std::vector<std::string>& classes, const DataSource& source);

// Of a source with `shared`: a warning that names the classes without an object. Throws Error(kInvalidArgument) when
// that is all of them.
void CheckSharedClasses(const DataSource& source, Dataset* dataset);

}  // namespace hot

// SPDX-License-Identifier: MIT

// The HDF5 constants that are C macros and therefore invisible to Swift.
#include <hdf5.h>

static inline hid_t eventprop_h5_native_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t eventprop_h5_native_float(void) { return H5T_NATIVE_FLOAT; }
static inline size_t eventprop_h5_variable(void) { return H5T_VARIABLE; }
static inline hid_t eventprop_h5_native_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t eventprop_h5_native_uint16(void) { return H5T_NATIVE_UINT16; }
static inline hid_t eventprop_h5_float16(void) {
  hid_t half = H5Tcopy(H5T_IEEE_F32LE);
  H5Tset_fields(half, 15, 10, 5, 0, 10);
  H5Tset_size(half, 2);
  H5Tset_ebias(half, 15);
  return half;
}
static inline hid_t eventprop_h5_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t eventprop_h5_default(void) { return H5P_DEFAULT; }
static inline hid_t eventprop_h5_all(void) { return H5S_ALL; }
static inline void eventprop_h5_silence(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }
static inline unsigned eventprop_h5_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned eventprop_h5_truncate(void) { return H5F_ACC_TRUNC; }

/// Whether a name in a file is a link into another file.
static inline int eventprop_h5_is_external_link(hid_t file, const char *name) {
  H5L_info_t info;
  return H5Lget_info(file, name, &info, H5P_DEFAULT) >= 0 && info.type == H5L_TYPE_EXTERNAL;
}
/// Whether a dataset's values lie in other files.
static inline int eventprop_h5_reads_other_files(hid_t dataset) {
  hid_t plist = H5Dget_create_plist(dataset);
  int found = H5Pget_external_count(plist) > 0 || H5Pget_layout(plist) == H5D_VIRTUAL;
  H5Pclose(plist);
  return found;
}
/// The first filter of a dataset that this library lacks, and its name; -1 when it has all.
static inline int eventprop_h5_missing_filter(hid_t dataset, char *name, size_t size) {
  hid_t plist = H5Dget_create_plist(dataset);
  int count = H5Pget_nfilters(plist), found = -1;
  for (int k = 0; k < count && found < 0; k++) {
    unsigned flags = 0, config = 0;
    size_t values = 0;
    name[0] = 0;
    H5Z_filter_t filter = H5Pget_filter2(plist, (unsigned)k, &flags, &values, NULL, size, name, &config);
    if (filter >= 0 && H5Zfilter_avail(filter) <= 0) found = (int)filter;
  }
  H5Pclose(plist);
  return found;
}
static inline int eventprop_h5_is_space_padded(hid_t type) { return H5Tget_strpad(type) == H5T_STR_SPACEPAD; }
static inline hid_t eventprop_h5_c_string(void) { return H5T_C_S1; }
static inline unsigned eventprop_h5_read_write(void) { return H5F_ACC_RDWR; }
static inline hid_t eventprop_h5_dataset_create(void) { return H5P_DATASET_CREATE; }

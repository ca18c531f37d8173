// SPDX-License-Identifier: MIT

/// What this program is, as every run says in its preset.toml.
public enum Version {
  /// Shown by `--version`, and in the first line of a run's preset.toml.
  public static let text = "0.7.0"
  /// The layout of checkpoints: raised when older programs could not read them.
  static let checkpointFormat = 1
  /// The first line of a run's preset.toml.
  static let line = "# eventprop \(text)\n"
}

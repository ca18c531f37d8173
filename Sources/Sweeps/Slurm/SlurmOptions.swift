// SPDX-License-Identifier: MIT

/// What the tasks of a sweep ask of a cluster.
public struct SlurmOptions: Sendable, Equatable {
  /// CPUs and threads of a task.
  public var threads = 1
  /// Tasks at a time; nil: as many as the cluster lets.
  public var limit: Int?
  /// `sbatch --time`, as 2:00:00; near it tasks write a checkpoint and go back to the queue.
  public var time: String?
  /// `sbatch --partition`.
  public var partition: String?
  /// `sbatch --mem`.
  public var memory: String?
  /// Further options of sbatch, as they are.
  public var further: [String] = []

  /// One CPU a task, else as the cluster has it.
  public init() {}

  /// `0-5,7%3`: the indices of an array.
  static func array(_ points: [Int], limit: Int?) -> String {
    var ranges: [ClosedRange<Int>] = []
    for point in points.sorted() {
      if let last = ranges.last, last.upperBound + 1 == point {
        ranges[ranges.count - 1] = last.lowerBound...point
      } else {
        ranges.append(point...point)
      }
    }
    let words = ranges.map {
      $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)"
    }
    return words.joined(separator: ",") + (limit.map { "%\($0)" } ?? "")
  }

  /// Of `sbatch`, without the script.
  /// - Parameters:
  ///   - name: of the job.
  ///   - folder: for what tasks print; absolute.
  func arguments(_ points: [Int], name: String, folder: String) -> [String] {
    var arguments = [
      "--parsable", "--job-name=\(name)", "--array=\(SlurmOptions.array(points, limit: limit))",
      "--cpus-per-task=\(threads)", "--requeue", "--open-mode=append",
      "--output=\(folder.replacing("%", with: "%%"))/%a.out",
    ]
    if let time {
      // A minute for the batch at hand and the checkpoint; to the script, which passes it on.
      arguments += ["--time=\(time)", "--signal=B:USR1@60"]
    }
    if let partition { arguments.append("--partition=\(partition)") }
    if let memory { arguments.append("--mem=\(memory)") }
    return arguments + further
  }
}

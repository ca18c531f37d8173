// swift-tools-version: 6.2
// SPDX-License-Identifier: MIT

import PackageDescription

// For sanitizers, of which .ci/run tells: EVENTPROP_SANITIZED=1 swift test --sanitize=thread. Only
// what they look at is built.
let isSanitized = Context.environment["EVENTPROP_SANITIZED"] != nil
let sanitized = [
  "Kernels", "EventPropCore", "CHDF5", "CZlib", "SpikeData", "Diagnosis", "Experiments", "Training",
  "Runs", "Live", "Interchange", "Support", "EventPropCoreTests", "LiveTests", "CampaignTests",
]

// What tests run as a program: EVENTPROP_PROGRAM has it under sanitizers.
let program: [Target.Dependency] = isSanitized ? [] : ["EventPropCommand"]

// The mathematics are optimised in debug builds too, with their assertions: tests differentiate
// them numerically, and generic code without specialisation is ten times slower.
let quick: [SwiftSetting] = [
  .unsafeFlags(
    ["-O", "-assert-config", "Debug"],
    .when(configuration: .debug))
]

// Kernels of one CPU level, in place of those that are chosen as the program starts: `.ci/levels`.
let kernelSettings: [CSetting] =
  Context.environment["EVENTPROP_LEVEL"].map {
    [.define("EP_ONE_LEVEL"), .unsafeFlags(["-march=\($0)"])]
  } ?? []

let package = Package(
  name: "eventprop",
  products: [
    .library(name: "EventPropCore", targets: ["EventPropCore"])
  ] + (isSanitized ? [] : [.executable(name: "eventprop", targets: ["EventPropCommand"])]),
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
  ],
  targets: [
    .target(name: "Kernels", cSettings: kernelSettings),
    .target(name: "EventPropCore", dependencies: ["Kernels"], swiftSettings: quick),
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "SpikeData", dependencies: ["EventPropCore", "CHDF5", "CZlib"]),
    .target(name: "Diagnosis", dependencies: ["EventPropCore"]),
    .target(
      name: "Experiments", dependencies: ["EventPropCore", "SpikeData", "TOMLKit"]),
    .target(
      name: "Training", dependencies: ["EventPropCore", "SpikeData", "Diagnosis", "Experiments"]),
    .target(
      name: "Runs",
      dependencies: ["EventPropCore", "SpikeData", "Diagnosis", "Experiments", "Training"]),
    .target(
      name: "Live",
      dependencies: ["EventPropCore", "SpikeData", "Diagnosis", "Experiments", "Training", "Runs"]),
    .target(
      name: "Sweeps",
      dependencies: [
        "EventPropCore", "SpikeData", "Diagnosis", "Experiments", "Training", "Runs", "Live",
        "Charts",
      ]),
    .target(
      name: "Interchange",
      dependencies: [
        "EventPropCore", "SpikeData", "Experiments", "Training", "Runs", "CHDF5",
      ]),
    .target(name: "Charts"),
    .systemLibrary(name: "CNCurses", providers: [.apt(["libncurses-dev"])]),
    .target(name: "Terminal", dependencies: ["Charts", "CNCurses"]),
    .target(
      name: "Workbench",
      dependencies: [
        "Sweeps", "Live", "Runs", "Training", "Experiments", "SpikeData", "Diagnosis",
        "EventPropCore", "Charts",
      ]),
    .executableTarget(
      name: "EventPropCommand",
      dependencies: [
        "Workbench", "Sweeps", "Live", "Interchange", "Runs", "Training", "Experiments",
        "Terminal", "Charts", "Diagnosis",
        "SpikeData", "EventPropCore", "Kernels",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(name: "Example", dependencies: ["EventPropCore"]),
    .target(
      name: "Support",
      dependencies: ["EventPropCore", "SpikeData", "Experiments", "Training", "CHDF5"],
      path: "Tests/Support"),
    .testTarget(name: "KernelsTests", dependencies: ["Kernels", "Support"]),
    .testTarget(name: "EventPropCoreTests", dependencies: ["EventPropCore", "Support"]),
    .testTarget(
      name: "DiagnosisTests",
      dependencies: ["Diagnosis", "EventPropCore", "Experiments", "Training", "Support"]),
    .testTarget(name: "SpikeDataTests", dependencies: ["SpikeData", "Support", "CHDF5"]),
    .testTarget(
      name: "ExperimentsTests",
      dependencies: ["Experiments", "Training", "Runs", "SpikeData", "EventPropCore", "Support"]),
    .testTarget(
      name: "TrainingTests",
      dependencies: ["Training", "Experiments", "Runs", "SpikeData", "EventPropCore", "Support"]),
    .testTarget(
      name: "RunsTests",
      dependencies: ["Runs", "Training", "Experiments", "SpikeData", "EventPropCore", "Support"]),
    .testTarget(
      name: "LiveTests",
      dependencies: [
        "Live", "Runs", "Training", "Experiments", "Diagnosis", "SpikeData", "EventPropCore",
        "Support",
      ]),
    .testTarget(
      name: "SweepsTests",
      dependencies: [
        "Sweeps", "Live", "Runs", "Training", "Experiments", "SpikeData", "EventPropCore",
        "EventPropCommand", "Support",
      ]),
    .testTarget(
      name: "InterchangeTests",
      dependencies: [
        "Interchange", "Runs", "Training", "Experiments", "SpikeData", "EventPropCore", "CHDF5",
        "Support",
      ]),
    .testTarget(name: "ChartsTests", dependencies: ["Charts"]),
    .testTarget(
      name: "WorkbenchTests",
      dependencies: [
        "Workbench", "Sweeps", "Live", "Training", "Experiments", "Diagnosis", "EventPropCore",
        "Charts",
      ],
      exclude: ["Golden"]),
    .testTarget(
      name: "EventPropCommandTests",
      dependencies: ["EventPropCommand", "Workbench", "Experiments", "Terminal", "Support"]),
    .testTarget(
      name: "CampaignTests",
      dependencies: program + [
        "Live", "Interchange", "Runs", "Training", "Experiments", "SpikeData", "EventPropCore",
        "CHDF5", "Support",
      ],
      exclude: ["faults.c"]),
    // A malloc that counts: sanitizers bring their own.
    .systemLibrary(name: "CAllocations", path: "Tests/CAllocations"),
    .testTarget(
      name: "AllocationTests", dependencies: ["EventPropCore", "Support", "CAllocations"]),
  ].filter { !isSanitized || sanitized.contains($0.name) },
  swiftLanguageModes: [.v6]
)

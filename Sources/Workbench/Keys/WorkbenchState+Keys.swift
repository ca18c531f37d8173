// SPDX-License-Identifier: MIT

import Experiments
import Live
import EventPropCore

extension WorkbenchState {
  /// What a key does: to this state, and to the world.
  public mutating func handle(_ key: Key, _ snapshot: Snapshot) -> [Effect] {
    notice = ""
    if question != nil { return answer(key) }
    if prompt != nil { return type(key, snapshot) }
    if isHelpShown { return search(key, snapshot) }
    if isAlarmListShown { return choose(key, snapshot) }
    if key == .escape && tour.isShown {
      tour.isShown = false
      return []
    }
    if key == .escape && !snapshot.job.isEmpty { return [.engine(.cancel)] }
    return act(key, keys, snapshot)
  }

  /// - Parameter keys: the user's, or for the wheel those of the table.
  private mutating func act(_ key: Key, _ keys: KeyMap, _ snapshot: Snapshot) -> [Effect] {
    let candidates = keys.actions.filter { $0.keys.contains(key) }
    guard let action = candidates.first(where: { $0.applies(on: screen) }) else {
      if let elsewhere = candidates.first, let screens = elsewhere.screens {
        let names = screens.map(\.title).sorted().joined(separator: ", ")
        notice = "\(key.label) is for \(elsewhere.title), on: \(names)"
      } else {
        notice = "\(key.label) does nothing here; \(keys.label("help")) shows the keys"
      }
      return []
    }
    return perform(action, snapshot)
  }

  mutating func perform(_ action: Action, _ snapshot: Snapshot) -> [Effect] {
    if let obstacle = action.obstacle(self, snapshot) {
      notice = "\(action.name): \(obstacle)"
      return []
    }
    return action.run(&self, snapshot)
  }

  private mutating func answer(_ key: Key) -> [Effect] {
    defer { question = nil }
    if let effects = question?.answers[key] { return effects }
    notice = "nothing was done"
    return []
  }

  /// Pasted text goes into a prompt, up to its first line end; elsewhere it would be taken for
  /// keys.
  public mutating func paste(_ text: String) {
    guard prompt != nil, question == nil else {
      notice = "pasted text is not taken for keys; \(keys.label("command")) opens a prompt for it"
      return
    }
    let line = text.unicodeScalars.prefix { $0 != "\n" && $0 != "\r" }
    for scalar in line where !VisibleText.isHidden(scalar) && prompt!.text.count < 60 {
      prompt!.text.unicodeScalars.append(scalar)
    }
  }

  /// Help: typing filters, Enter runs the first hit, Esc closes.
  private mutating func search(_ key: Key, _ snapshot: Snapshot) -> [Effect] {
    switch key {
    case .escape: isHelpShown = false
    case .backspace: if helpFilter.isEmpty { isHelpShown = false } else { helpFilter.removeLast() }
    case .enter:
      isHelpShown = false
      let hits = HelpPanel.matches(self)
      guard let action = hits.isEmpty ? nil : hits[min(helpRow, hits.count - 1)] else { return [] }
      guard action.applies(on: screen) else {
        screen = action.screens!.min { $0.index < $1.index }!
        return perform(action, snapshot)
      }
      return perform(action, snapshot)
    case .up, .down, .pageUp, .pageDown, .home, .end:
      let last = max(HelpPanel.matches(self).count - 1, 0)
      helpRow = key.moved(helpRow, last: last) ?? helpRow
    case .character("?") where helpFilter.isEmpty: isHelpShown = false
    case .character(let c):
      if helpFilter.count < 30 { helpFilter.append(c) }
      helpRow = 0
    default: break
    }
    return []
  }

  /// Alarm list: arrows choose, Enter goes to the screen that explains, any other key closes.
  private mutating func choose(_ key: Key, _ snapshot: Snapshot) -> [Effect] {
    let list = snapshot.alarmList
    switch key {
    case .up, .character("k"): alarmRow = max(0, alarmRow - 1)
    case .down, .character("j"): alarmRow = min(max(list.count - 1, 0), alarmRow + 1)
    case .enter, .character("!"):
      isAlarmListShown = false
      guard list.indices.contains(alarmRow) else { return [] }
      lane = list[alarmRow].lane
      screen = list[alarmRow].record.alarm.kind.screen
    default: isAlarmListShown = false
    }
    return []
  }

  private mutating func type(_ key: Key, _ snapshot: Snapshot) -> [Effect] {
    switch key {
    case .escape: prompt = nil
    case .backspace:
      if prompt!.text.isEmpty { prompt = nil } else { prompt!.text.removeLast() }
    case .tab:
      if prompt!.purpose == .command, let hit = completions.first { prompt!.text = hit }
    case .enter:
      let entered = prompt!
      prompt = nil
      switch entered.purpose {
      case .rate: return perform("rate", typed: entered.text, snapshot)
      case .command: return runCommand(entered.text, snapshot)
      case .neurons: return chooseNeurons(entered.text)
      case .fork: return perform("fork", typed: entered.text, snapshot)
      case .silence:
        silenceFilter = entered.text
        row = 0
      }
    case .character(let c): if prompt!.text.count < 60 { prompt!.text.append(c) }
    default: break
    }
    return []
  }

  /// What the typed text can be completed to: names, and the values of those that choose among
  /// words.
  var completions: [String] {
    guard let prompt, prompt.purpose == .command else { return [] }
    let values = Action.all.flatMap { action in
      (action.values?.words ?? []).map { "\(action.name) \($0)" }
    }
    let hits = (prompt.text.contains(" ") ? values : Action.all.map(\.name))
      .filter { $0.hasPrefix(prompt.text) }
    // A name that is whole and takes a word goes on with its words.
    return hits == [prompt.text] || hits.isEmpty
      ? values.filter { $0.hasPrefix(prompt.text) && $0 != prompt.text } : hits
  }

  /// `0-31, 40`; nothing chooses all.
  private mutating func chooseNeurons(_ text: String) -> [Effect] {
    var chosen: [Int] = []
    for part in text.split(whereSeparator: { ", ".contains($0) }) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard let low = ends[0], let high = ends.count == 2 ? ends[1] : low, ends.count <= 2,
        low >= 0, high >= low, high < 65_536
      else {
        notice = "neurons \"\(text)\": allowed are numbers and ranges, as 0-31, 40"
        return []
      }
      chosen += low...high
    }
    neurons = Set(chosen).sorted()
    return []
  }

  /// An action by its name, with values where it takes some. As its key, it says what stands in its
  /// way.
  private mutating func runCommand(_ text: String, _ snapshot: Snapshot) -> [Effect] {
    let words = text.split(separator: " ").map(String.init)
    guard let name = words.first else { return [] }
    guard let action = Action.all.first(where: { $0.name == name }) else {
      notice = "no command \"\(text)\"; ? lists them"
      return []
    }
    if words.count > 1 { return perform(action, with: Array(words.dropFirst()), snapshot) }
    if !action.applies(on: screen) { screen = action.screens!.min { $0.index < $1.index }! }
    return perform(action, snapshot)
  }

  /// An action with values.
  private mutating func perform(_ action: Action, with values: [String], _ snapshot: Snapshot)
    -> [Effect]
  {
    if let obstacle = action.obstacle(self, snapshot) {
      notice = "\(action.name): \(obstacle)"
      return []
    }
    let typed = values.joined(separator: " ")
    guard let allowed = action.values else {
      notice = "\(action.name) takes no values: \"\(typed)\""
      return []
    }
    guard let effects = allowed.read(values, &self, snapshot) else {
      notice = "\(action.name) \"\(typed)\": allowed is \(allowed.usage)"
      return []
    }
    return effects
  }

  /// The values of an action, typed into a prompt of its own.
  private mutating func perform(_ name: String, typed text: String, _ snapshot: Snapshot)
    -> [Effect]
  {
    let values = text.split(separator: " ").map(String.init)
    return perform(Action.all.first { $0.name == name }!, with: values, snapshot)
  }

  /// The wheel never types: it scrolls what scrolls, and zooms the raster.
  public mutating func wheel(down: Bool, _ snapshot: Snapshot) -> [Effect] {
    if prompt != nil || question != nil { return [] }
    if isHelpShown || isAlarmListShown { return handle(down ? .down : .up, snapshot) }
    guard let wheel = screen.screen.wheel else { return [] }
    notice = ""
    return act(down ? wheel.down : wheel.up, KeyMap(), snapshot)
  }

  /// A click: on a lane's panel chooses it; on the raster sets the cursor.
  public mutating func click(x: Int, y: Int, width: Int, height: Int, _ snapshot: Snapshot)
    -> [Effect]
  {
    notice = ""
    if isHelpShown || prompt != nil || question != nil || isAlarmListShown { return [] }
    if y == Workbench.tabRow(width: width, height: height) {
      if let chosen = Tabs.screen(at: x, width: width, keys) { screen = chosen }
      return []
    }
    return screen.screen.click(&self, x: x, y: y, width: width, height: height, snapshot)
  }
}

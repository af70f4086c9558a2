// The editor of a bundle's text, loaded by its page alone. The textarea stays
// the form's field and holds the text when the form is sent; without this
// script it is the editor. CodeMirror lives in a shadow root, where it brings
// its styles as constructed sheets: the page's policy allows no others.
import { EditorState } from "@codemirror/state";
import { EditorView, keymap, lineNumbers, highlightActiveLine, highlightActiveLineGutter, drawSelection, highlightSpecialChars } from "@codemirror/view";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, syntaxHighlighting, ensureSyntaxTree, syntaxTree, HighlightStyle } from "@codemirror/language";
import { json } from "@codemirror/lang-json";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { searchKeymap, highlightSelectionMatches } from "@codemirror/search";
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { tags } from "@lezer/highlight";

const form = document.querySelector("[data-policy-editor]");
function start() {
  const area = form.querySelector("textarea[name=document]");
  const host = form.querySelector("[data-editor]");
  const root = host.attachShadow({ mode: "open" });
  let gates = [];
  let checking, newest = 0, sending = false;
  let dirty = form.dataset.dirty === "true";

  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: area.value,
      extensions: [
        lineNumbers(), foldGutter(), lintGutter(), history(), drawSelection(), highlightSpecialChars(), highlightActiveLine(), highlightActiveLineGutter(),
        indentOnInput(), bracketMatching(), closeBrackets(), highlightSelectionMatches(), json(), look, syntaxHighlighting(colours),
        autocompletion({ override: [complete] }),
        EditorState.readOnly.of(area.readOnly),
        EditorView.contentAttributes.of({ "aria-label": "Document of the bundle, JSON", tabindex: "0" }),
        keymap.of([
          { key: "Mod-s", preventDefault: true, run: () => (form.requestSubmit(form.querySelector("button[value=save]")), true) },
          ...closeBracketsKeymap, ...completionKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...lintKeymap,
        ]),
        EditorView.updateListener.of((u) => {
          if (!u.docChanged) return;
          dirty = true;
          clearTimeout(checking);
          checking = setTimeout(check, 350);
          say("Unsaved changes");
        }),
      ],
    }),
  });
  area.hidden = true;
  host.hidden = false;
  // What is typed here is no shortcut of the console.
  host.addEventListener("keydown", (e) => e.stopPropagation());
  form.querySelector("[data-insert]").hidden = area.readOnly;
  mark();
  if (dirty) say("Unsaved changes");
  fetch(form.dataset.gates).then((r) => (r.ok ? r.json() : [])).then((list) => (gates = list), () => {});

  form.addEventListener("formdata", (e) => e.formData.set("document", view.state.doc.toString()));
  form.addEventListener("submit", () => {
    area.value = view.state.doc.toString();
    sending = true;
    setTimeout(() => (sending = false), 4000);
  });
  addEventListener("beforeunload", (e) => dirty && !sending && e.preventDefault());
  // A link's own question is the browser's; going back restores the text.
  addEventListener("pageshow", () => (sending = false));

  document.addEventListener("click", (e) => {
    const jump = e.target.closest("[data-jump]");
    if (jump) go(jump.closest("[data-line]"));
    if (e.target.closest("[data-insert-rule]")) insert(form.querySelector("#insert-trigger").value);
  });
  document.addEventListener("windlass:morphed", () => {
    const head = document.querySelector("[data-digest]");
    const seen = form.querySelector("input[type=hidden][name=seen]").value;
    if (head && seen) form.querySelector("[data-changed]").hidden = head.dataset.digest === seen;
  });

  function say(text) {
    const el = form.querySelector("[data-editor-state]");
    if (el && el.textContent !== text) el.textContent = text;
  }

  // check asks the server what is wrong with the text: it alone judges.
  async function check() {
    const mine = ++newest;
    const body = new FormData();
    body.set("document", view.state.doc.toString());
    try {
      const r = await fetch(form.dataset.check, { method: "POST", body, headers: { "X-CSRF-Token": document.querySelector("meta[name=csrf]").content } });
      const html = await r.text();
      if (mine !== newest || !r.ok) return;
      const next = new DOMParser().parseFromString(html, "text/html").getElementById("policy-faults");
      if (!next) return;
      document.getElementById("policy-faults").replaceWith(next);
      mark();
    } catch {
      // The server is away; the text is checked when it is saved.
    }
  }

  // mark puts what the list of faults says into the text.
  function mark() {
    const doc = view.state.doc;
    const list = [...document.querySelectorAll("#policy-faults [data-line]")].map((li) => {
      const from = place(li);
      const line = doc.lineAt(from);
      const rest = line.text.slice(from - line.from);
      const token = /^("(?:[^"\\]|\\.)*"|[\w.+-]+|.)/.exec(rest);
      return {
        from, to: from + (token ? token[0].length : 0), severity: li.dataset.warning === "true" ? "warning" : "error", message: li.dataset.text,
      };
    });
    view.dispatch(setDiagnostics(view.state, list));
  }

  // place is the offset of a fault; its column counts characters.
  function place(li) {
    const doc = view.state.doc;
    const line = doc.line(Math.min(Math.max(1, Number(li.dataset.line)), doc.lines));
    const before = [...line.text].slice(0, Number(li.dataset.column) - 1).join("").length;
    return line.from + Math.min(before, line.length);
  }

  function go(li) {
    const at = place(li);
    view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
    view.focus();
  }

  // insert adds a rule to the policy that the cursor is in, else to the first.
  function insert(rule) {
    const state = view.state;
    const list = rules(state, state.selection.main.head);
    if (!list) return say("The document has no policy with rules to add to");
    const indent = (pos) => /^\s*/.exec(state.doc.lineAt(pos).text)[0];
    const last = list.getChildren("Object").at(-1);
    const deeper = last ? indent(last.from) : indent(list.from) + "  ";
    const text = rule.split("\n").map((l) => deeper + l).join("\n");
    const from = last ? last.to : list.from + 1;
    const put = last ? ",\n" + text : "\n" + text + "\n" + indent(list.from);
    view.dispatch({ changes: { from, insert: put }, selection: { anchor: from + put.trimEnd().length }, scrollIntoView: true });
    view.focus();
  }

  // complete offers gates, triggers, parameters and their values.
  function complete(ctx) {
    const m = ctx.matchBefore(/"(gate|trigger|action|name|value)"\s*:\s*"[^"]*/);
    if (!m) return null;
    const key = /^"(\w+)"/.exec(m.text)[1];
    const from = m.from + m.text.lastIndexOf('"') + 1;
    const near = objects(ctx.state, ctx.pos);
    const rule = key === "name" || key === "value" ? near[1] : near[0];
    const gate = gates.find((g) => g.name === text(ctx.state, rule, "gate"));
    const trigger = gate?.triggers.find((t) => t.name === text(ctx.state, rule, "trigger"));
    const options = {
      gate: () => gates.map((g) => option(g)),
      trigger: () => (gate ? gate.triggers : gates.flatMap((g) => g.triggers)).map((t) => option(t)),
      action: () => ["GO", "WARN", "STOP"].map((label) => ({ label })),
      name: () => trigger?.params.map((p) => option(p)),
      value: () => trigger?.params.find((p) => p.name === text(ctx.state, near[0], "name"))?.values?.map((label) => ({ label })),
    }[key]();
    return options?.length ? { from, options, validFor: /^[^"]*$/ } : null;
  }
}

const option = (o) => ({ label: o.name, info: o.about });

// objects are the JSON objects around a place, the nearest first.
function objects(state, pos) {
  const list = [];
  for (let n = syntaxTree(state).resolveInner(pos, -1); n; n = n.parent) if (n.name === "Object") list.push(n);
  return list;
}

// rules is the list of rules of the policy around a place, or the first one.
function rules(state, pos) {
  const tree = ensureSyntaxTree(state, state.doc.length, 1000) ?? syntaxTree(state);
  const listOf = (object) => {
    for (const p of object.getChildren("Property")) {
      const key = p.getChild("PropertyName");
      if (key && state.sliceDoc(key.from, key.to) === '"rules"') return p.getChild("Array");
    }
    return null;
  };
  for (let n = tree.resolveInner(pos, -1); n; n = n.parent) {
    const list = n.name === "Object" && listOf(n);
    if (list) return list;
  }
  let first = null;
  tree.iterate({
    enter: (n) => {
      if (!first && n.name === "Object") first = listOf(n.node);
    },
  });
  return first;
}

// text is the value of a property of an object.
function text(state, object, name) {
  for (const p of object?.getChildren("Property") ?? []) {
    const key = p.getChild("PropertyName");
    const value = p.getChild("String");
    if (key && value && state.sliceDoc(key.from, key.to) === `"${name}"`) return state.sliceDoc(value.from + 1, value.to - 1);
  }
  return undefined;
}

const look = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--surface)", fontSize: "12.5px", height: "min(70vh, 900px)", minHeight: "320px" },
  "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6", overflow: "auto" },
  ".cm-content": { caretColor: "var(--accent)", padding: "8px 0" },
  ".cm-cursor": { borderLeftColor: "var(--accent)" },
  ".cm-gutters": { backgroundColor: "var(--sunken)", color: "var(--ink-3)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--accent-soft)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--accent-soft)", color: "inherit" },
  ".cm-selectionMatch": { backgroundColor: "var(--med-bg)" },
  ".cm-searchMatch": { backgroundColor: "var(--med-bg)" },
  ".cm-foldPlaceholder": { backgroundColor: "var(--sunken)", borderColor: "var(--line)", color: "var(--ink-3)" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--ink)", border: "1px solid var(--line)", borderRadius: "7px", fontFamily: "var(--font)", fontSize: "13px", maxWidth: "min(420px, 80vw)" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent-soft)", color: "var(--ink)" },
  ".cm-panels": { backgroundColor: "var(--sunken)", color: "var(--ink)", fontFamily: "var(--font)" },
  ".cm-panels input, .cm-panels button": { font: "inherit", color: "var(--ink)", backgroundColor: "var(--surface)", backgroundImage: "none", border: "1px solid var(--line-strong)", borderRadius: "5px" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--crit)", textUnderlineOffset: "3px" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--med)", textUnderlineOffset: "3px" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--crit)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--med)" },
});

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--accent-strong)" },
  { tag: tags.string, color: "var(--ink)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--high)" },
  { tag: [tags.brace, tags.squareBracket, tags.separator], color: "var(--ink-3)" },
]);

if (form) start();

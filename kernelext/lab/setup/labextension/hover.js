// Hover help: what the kernel says of the symbol under the pointer in a cell of Go, as Shift-Tab shows it of that at the cursor.
async (load) => {
  const [{ IEditorExtensionRegistry, EditorExtensionRegistry }, { INotebookTracker }, { MimeModel }, { hoverTooltip }] = await Promise.all(
    ["@jupyterlab/codemirror", "@jupyterlab/notebook", "@jupyterlab/rendermime", "@codemirror/view"].map(load));

  // ask returns the kernel's Markdown; it says why it has none in plain text. A kernel that runs a cell would answer too late.
  async function ask(kernel, code, position) {
    if (kernel?.name !== "gonb" || kernel.status === "busy") return undefined;
    const { content } = await kernel.requestInspect({ code, cursor_pos: position, detail_level: 0 });
    return content.status === "ok" ? content.data["text/markdown"] : undefined;
  }

  async function render(rendermime, markdown) {
    const renderer = rendermime.createRenderer("text/markdown");
    renderer.addClass("offshoot-hover-help");
    Object.assign(renderer.node.style, { maxWidth: "46em", maxHeight: "20em", overflow: "auto", padding: "4px 8px",
      background: "var(--jp-layout-color1)", color: "var(--jp-ui-font-color0)" });
    await renderer.renderModel(new MimeModel({ data: { "text/markdown": markdown } }));
    return renderer;
  }

  const help = (notebooks) => async (view, position) => {
    const panel = notebooks.find((candidate) => candidate.node.contains(view.dom));
    const cell = panel?.content.widgets.find((candidate) => candidate.node.contains(view.dom));
    const word = view.state.wordAt(position);
    if (cell?.model.type !== "code" || !word) return null;
    const markdown = await ask(panel.sessionContext.session?.kernel, view.state.doc.toString(), position);
    if (!markdown) return null;
    const renderer = await render(panel.content.rendermime, markdown);
    return { pos: word.from, end: word.to, above: true, create: () => ({ dom: renderer.node, destroy: () => renderer.dispose() }) };
  };

  return {
    id: "offshoot:hover-help", description: "Documentation of the Go symbol under the pointer.", autoStart: true,
    requires: [INotebookTracker, IEditorExtensionRegistry],
    activate: (app, notebooks, extensions) => {
      const tooltip = hoverTooltip(help(notebooks), { hoverTime: 600 });
      extensions.addExtension({ name: "offshoot:hover-help", factory: () => EditorExtensionRegistry.createImmutableExtension(tooltip) });
    },
  };
}

// The lab's JupyterLab extension: a container of webpack's module federation, which is what JupyterLab takes a prebuilt
// extension as. It loads this script, hands its own packages to init, and asks get for the plugins. A builder would make such a
// container from npm packages; this one is written out, since it brings none along. Set-up calls it with the plugins
// (labextension.go): each is given load, for the packages that it needs.
((plugins) => {
  let shared; // JupyterLab's packages: for each name its versions, of which there is one

  async function load(name) {
    const versions = Object.values(shared[name] ?? {});
    if (!versions.length) throw new Error(`offshoot: this JupyterLab does not share ${name}`);
    return (await versions[0].get())();
  }

  (window._JUPYTERLAB ??= {}).offshoot = {
    init: (scope) => { shared = scope; },
    get: async () => {
      const module = { __esModule: true, default: await Promise.all(plugins.map((plugin) => plugin(load))) };
      return () => module;
    },
  };
})

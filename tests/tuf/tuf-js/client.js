// The Update Framework's JavaScript client behind the same command line as suture-tuf.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { Updater } = require('tuf-js');

async function download(updater, name, directory) {
  const target = await updater.getTargetInfo(name);
  if (!target) throw new Error(`nobody signs the target '${name}'`);
  const file = path.join(directory, encodeURIComponent(name));
  if (!(await updater.findCachedTarget(target, file))) await updater.downloadTarget(target, file);
}

async function main() {
  const text = { type: 'string' };
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'metadata-dir': text, 'metadata-url': text, 'target-dir': text, 'target-base-url': text,
      'target-name': { type: 'string', multiple: true },
    },
  });
  const [verb, root] = positionals;
  if (verb === 'init') {
    fs.copyFileSync(root, path.join(values['metadata-dir'], 'root.json'), fs.constants.COPYFILE_EXCL);
    return;
  }
  const updater = new Updater({
    metadataDir: values['metadata-dir'], metadataBaseUrl: values['metadata-url'],
    targetDir: values['target-dir'], targetBaseUrl: values['target-base-url'],
    config: { fetchRetries: 0, fetchRetry: 0 },
  });
  await updater.refresh();
  if (verb === 'download')
    for (const name of values['target-name']) await download(updater, name, values['target-dir']);
}

main().catch((error) => {
  console.error(`tuf-js: ${error.message}`);
  process.exitCode = 1;
});

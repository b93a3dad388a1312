/** As in `engines` of package.json; npm does not enforce it for the package that it runs. */
const NODE_MIN = 20;
/** npm 11 runs install scripts of the packages in `allowScripts` only, and none are needed. */
const NPM_MIN = 11;

/**
 * Whether this machine and this user can run Porthole.
 * @param {{ platform: string, arch: string, node: string, uid: number | undefined, script: string,
 *   needsRoot: boolean }} facts
 * @returns {string | null} what to do, in one line; null when all is well
 */
export function platformProblem({ platform, arch, node, uid, script, needsRoot }) {
  if (platform !== 'linux') return `Porthole runs on Linux only; this is ${platform}.`;
  if (arch !== 'x64' && arch !== 'arm64') return `Porthole runs on x64 and arm64 only; this is ${arch}.`;
  if (majorOf(node) < NODE_MIN) return `Node ${NODE_MIN} or later is needed to set up; this is ${node}.`;
  if (needsRoot && uid !== 0)
    return `Porthole starts containers and must be root: run \`sudo npm ${script}\`.`;
  return null;
}

/**
 * Whether this npm can install the dependencies.
 * @param {string} version such as `11.4.2`
 * @returns {string | null} what to do, in one line; null when all is well
 */
export function npmProblem(version) {
  if (majorOf(version) >= NPM_MIN) return null;
  return `npm ${NPM_MIN} or later is needed; this is ${version}: run \`npm install -g npm@${NPM_MIN}\`.`;
}

function majorOf(version) {
  return Number(/^v?(\d+)\./.exec(version)?.[1] ?? 0);
}

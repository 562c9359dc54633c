/**
 * Names in `optionalDependencies` of any lock entry that have no entry of their own. `npm install` passes with such a lock
 * and `npm ci` then fails on other platforms.
 */
export function findMissingLockEntries(lock) {
  const missing = [];
  for (const [path, entry] of Object.entries(lock.packages)) {
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      const places = [`${path === "" ? "" : `${path}/`}node_modules/${name}`, `node_modules/${name}`];
      if (!places.some((place) => place in lock.packages)) missing.push(`${path || "(root)"} wants ${name}`);
    }
  }
  return missing;
}

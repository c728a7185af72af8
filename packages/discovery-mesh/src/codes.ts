/** What an examination of the mesh may find. */
export const checks = {
  "seed-reached": ["ok", "A member of the mesh answers at the seed, and the key fits.", "others-reached"],
  "seed-spare-unreachable": ["warn", "Nobody answers at this seed, but at another."],
  "seed-unreachable": ["fail", "No seed leads into the mesh, and nobody answers at this one."],
  "seed-foreign": [
    "fail",
    "What answers at the seed is no mesh, or something in between ends the connection.",
  ],
  "seed-unsafe": ["fail", "The seed is not dialled, since the way to it is not safe."],
  "seed-missing": ["warn", "The mesh has a key and no seed."],
  "key-refused": ["fail", "A member answers, and does not accept this machine's key and cluster."],
  "key-missing": ["warn", "A mesh without a key stays on this machine."],
  unused: ["skip", "No mesh is set up on this machine: there is neither key nor seed."],
} as const;

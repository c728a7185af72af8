/** Codes of the checks that an examination of any store reports. */
export const storeChecks = {
  "store-read": ["ok", "The store lets us in, and the fleet's values can be read.", "others-reached"],
  "store-absent": ["fail", "No server of the store answers."],
  "store-refuses": ["fail", "The store does not know us, or does not let us read the fleet's values."],
  "store-unfit": ["fail", "The server is no such store, too old, not to be trusted, or not set up for this."],
} as const;

export const storeWarnings = {
  "password-exposed": "A password or a token goes over the network to another machine without encryption.",
} as const;

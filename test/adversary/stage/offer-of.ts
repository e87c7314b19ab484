export {
  measurement,
  offerOf,
  otherMeasurement,
  simulatorKey,
  type MadeOffer,
  type OfferOptions,
} from '#libs/testing'

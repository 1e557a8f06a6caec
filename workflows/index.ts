export { promiseToPay } from './promise';
export { collections } from './collections';
export { sweep } from './sweep';

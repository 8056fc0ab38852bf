import type { RequestHandler } from 'express';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { networkOf } from '../network.ts';

/** Requests of one network in a minute. Many people may be behind one; a person needs a few of these to sign in. */
const MOST = 600;

/** Bounds what somebody of whom nothing is known can have this process write down. Guesses of passwords are counted where they are made, in the store. */
export function limitByAddress(addressOf: (message: Parameters<RequestHandler>[0]) => string): RequestHandler {
  const limiter = new RateLimiterMemory({ points: MOST, duration: 60 });
  return async (request, response, next) => {
    try {
      await limiter.consume(networkOf(addressOf(request)));
    } catch (refusal) {
      if (refusal instanceof Error) throw refusal;
      response.set('Retry-After', String(Math.ceil((refusal as RateLimiterRes).msBeforeNext / 1000)));
      response.status(429).json({ error: 'temporarily_unavailable', error_description: 'too many requests from this address: try again in a while' });
      return;
    }
    next();
  };
}

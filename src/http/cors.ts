import type { RequestHandler } from 'express';

/**
 * Apps in browsers may ask from any origin (SMART App Launch 2.2 §Considerations for CORS): what is answered rests on the token that they bring, and never on
 * a cookie.
 */
export const allowAnyOrigin: RequestHandler = (request, response, next) => {
  response.setHeader('Access-Control-Allow-Origin', '*');
  response.setHeader('Access-Control-Expose-Headers', 'ETag, Last-Modified, Location, Retry-After, WWW-Authenticate');
  if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return next();
  response.writeHead(204, {
    'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, DELETE',
    'Access-Control-Allow-Headers': 'Authorization, Content-Type, DPoP, If-Match, If-Modified-Since, If-None-Exist, If-None-Match, Prefer',
    'Access-Control-Max-Age': '3600',
  });
  response.end();
};

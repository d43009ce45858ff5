# syntax=docker/dockerfile:1
# One image for web, worker and beat; a second target for the proxy in front of them.

FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv/ordermgmt
RUN python -m venv /opt/venv && python -m venv /opt/node
COPY requirements.txt requirements-assets.txt ./
RUN /opt/venv/bin/pip install --require-hashes -r requirements.txt \
    && /opt/node/bin/pip install --require-hashes -r requirements-assets.txt
COPY . .
# Scripts and styles of others, compiled translations and hashed static files are made here once, not at every start.
ENV PATH=/opt/venv/bin:/opt/node/bin:$PATH VAR_DIR=/tmp/var STATIC_ROOT=/srv/static
RUN python manage.py assets \
    && python manage.py catalogue --compile \
    && python manage.py collectstatic --noinput -v0 \
    && rm -rf node_modules tests bench /tmp/var

FROM python:3.11-slim-bookworm AS app
# Debian's archive keeps only the newest build of a package: a pinned version would break the next build.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fontconfig fonts-dejavu-core fonts-wqy-microhei postgresql-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home --home-dir /home/app app \
    && install -d -o app -g app /var/lib/ordermgmt /var/lib/ordermgmt/media
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv /srv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    VAR_DIR=/var/lib/ordermgmt MEDIA_ROOT=/var/lib/ordermgmt/media STATIC_ROOT=/srv/static
WORKDIR /srv/ordermgmt
USER 10001:10001
VOLUME /var/lib/ordermgmt
EXPOSE 8000
CMD ["gunicorn", "ordermgmt.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--no-control-socket"]

FROM caddy:2.8-alpine AS proxy
# The certificates lie in these folders; without root nobody else could write them.
RUN chown -R 1000:1000 /data /config
COPY deploy/Caddyfile /etc/caddy/Caddyfile
USER 1000:1000

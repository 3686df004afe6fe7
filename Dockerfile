# An image for CI: mixpanel-access and the Pulumi engine, for a user without rights.
# In a clone: docker build -t mixpanel-access .
ARG PYTHON=python:3.12.14-slim-bookworm

FROM ${PYTHON} AS build
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY requirements.lock ./
RUN pip install -q --no-cache-dir --require-hashes --no-deps -r requirements.lock
COPY pyproject.toml README.md LICENSE Pulumi.yaml ./
COPY mixpanel_access ./mixpanel_access
COPY stacks ./stacks
COPY plugins ./plugins
COPY policies ./policies
COPY docs ./docs
COPY examples ./examples
RUN python -m hatchling build -t wheel -d /dist \
    && uv venv -q /opt/mixpanel-access \
    && uv pip install -q --python /opt/mixpanel-access/bin/python --constraint requirements.lock /dist/*.whl
# The engine is the official release, checked against its published SHA-256. With ENGINE_STEPS=build it is built from its
# Go modules instead, each checked against go.sum; that takes some minutes.
COPY tools ./tools
ARG ENGINE_STEPS=download,build
RUN MIXPANEL_ACCESS_CACHE=/opt/engine MIXPANEL_ACCESS_ENGINE_STEPS=${ENGINE_STEPS} \
    /opt/mixpanel-access/bin/python -m tools.engine > /tmp/engine \
    && ln -s "$(cat /tmp/engine)" /opt/pulumi

FROM ${PYTHON}
COPY --from=build /opt/mixpanel-access /opt/mixpanel-access
COPY --from=build /opt/engine /opt/engine
COPY --from=build /opt/pulumi /opt/pulumi
ENV PATH=/opt/mixpanel-access/bin:/opt/pulumi:$PATH \
    PULUMI_SKIP_UPDATE_CHECK=1
RUN useradd --create-home --uid 1000 access
USER access
WORKDIR /home/access
CMD ["mixpanel-access", "--help"]

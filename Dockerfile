# The program, statically linked, on a small base with what pipelines need beside it: git and bash, and jq and curl for their scripts.
FROM rust:1.95.0-alpine3.22 AS build
RUN apk add --no-cache musl-dev~=1.2
WORKDIR /src
COPY . .
RUN cargo build --locked --profile dist

FROM alpine:3.22
# The id of the user of GitHub's own runners: a job's container can write where the runner does.
RUN apk add --no-cache bash~=5 curl~=8 git~=2 jq~=1 \
  && adduser -D -u 1001 convertalk
COPY --from=build /src/target/dist/convertalk /usr/local/bin/convertalk
COPY --from=build /src/LICENSE-APACHE /src/LICENSE-MIT /usr/share/licenses/convertalk/
USER 1001:1001
WORKDIR /work
ENTRYPOINT ["convertalk"]
CMD ["--help"]

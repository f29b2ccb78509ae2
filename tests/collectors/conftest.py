from tests.aws.fixtures import moto_url, proxy, shared_proxy

__all__ = ["moto_url", "proxy", "shared_proxy"]

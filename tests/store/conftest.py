from tests.aws.fixtures import moto_url, proxy

__all__ = ["moto_url", "proxy"]
